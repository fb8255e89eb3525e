/* json_check.h - strict JSON (RFC 8259, UTF-8 of RFC 3629) without building values.
 *
 * Stricter than every parser of the fleet: no NaN, hex, leading zeros, lone bytes, lone surrogates
 * (\ud800 without its partner), trailing text, byte order mark. Blanks around the value are fine,
 * and so are \u0000, repeated keys and numbers of any size: what those mean is the reader's
 * business. No recursion. */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stddef.h>

/* Ruby reads 100 levels and a record adds one around the payload, a failure record the same. */
#define JSON_CHECK_DEPTH 98

/* 0 if `text` is one JSON value with at most `max_depth` (≤ 1024) nested containers. Else -1 and in
 * `err` a phrase such as "byte 17: invalid UTF-8", which never quotes the text; bytes are counted
 * from 1. */
int json_check(const char *text, size_t len, int max_depth, char *err, size_t err_size);

#endif
