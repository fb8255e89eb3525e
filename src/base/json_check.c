/* json_check.c - says whether bytes are strict JSON. Builds nothing, allocates nothing, does not
 * recurse: what is open costs one bit per level. Not a parser of values; lua/resque/json.lua is
 * that. */
#include "base/json_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { DEEPEST = 1024 };

/* What must come next. */
enum expect {
    VALUE,
    VALUE_OR_CLOSE, /* after [ */
    KEY,
    KEY_OR_CLOSE, /* after { */
    COLON,
    COMMA_OR_CLOSE,
    END
};

struct check {
    const unsigned char *at, *end;
    enum expect expect;
    int depth, max_depth;
    uint8_t
        is_object[DEEPEST / 8]; /* bit n: level n is an object, else an array; valid below depth */
    const char *trouble;        /* what is wrong at `at`, after a function returned false */
};

/* Bytes that stand for themselves in a string: ASCII without controls, quote and backslash. */
static const bool is_plain[256] = {
    [0x20 ... 0x21] = true,
    [0x23 ... 0x5B] = true,
    [0x5D ... 0x7F] = true,
};

static bool fail(struct check *c, const char *trouble)
{
    c->trouble = c->at < c->end ? trouble : "the text ends too early";
    return false;
}

static bool is_digit(const struct check *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool is_one_of(const struct check *c, char a, char b)
{
    return c->at < c->end && (*c->at == a || *c->at == b);
}

static void skip_blanks(struct check *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
}

static bool in_object(const struct check *c)
{
    int level = c->depth - 1;
    return c->is_object[level / 8] >> level % 8 & 1;
}

static bool value_done(struct check *c)
{
    c->expect = c->depth > 0 ? COMMA_OR_CLOSE : END;
    return true;
}

/* Reads the four digits of \uXXXX; -1 when there are not four. */
static int scan_hex4(struct check *c)
{
    int code = 0;
    for (int i = 0; i < 4; i++, c->at++) {
        unsigned char ch = c->at < c->end ? *c->at : 0;
        unsigned char letter = ch | 0x20;
        if (ch >= '0' && ch <= '9')
            code = code << 4 | (ch - '0');
        else if (letter >= 'a' && letter <= 'f')
            code = code << 4 | (letter - 'a' + 10);
        else
            return -1;
    }
    return code;
}

/* Reads what follows \u. A high surrogate needs a low one right behind it; a low one never comes
 * first. */
static bool scan_unicode_escape(struct check *c)
{
    const unsigned char *start = c->at;
    int code = scan_hex4(c);
    if (code < 0)
        return fail(c, "invalid \\u escape");
    if (code < 0xD800 || code > 0xDFFF)
        return true;

    int low = -1;
    if (code < 0xDC00 && c->end - c->at >= 2 && c->at[0] == '\\' && c->at[1] == 'u') {
        c->at += 2;
        low = scan_hex4(c);
    }
    if (low >= 0xDC00 && low <= 0xDFFF)
        return true;
    c->at = start;
    return fail(c, "lone surrogate");
}

/* Reads an escape, from its backslash on. */
static bool scan_escape(struct check *c)
{
    c->at++;
    if (c->at == c->end || *c->at == '\0' || !strchr("\"\\/bfnrtu", *c->at))
        return fail(c, "invalid escape");
    return *c->at++ == 'u' ? scan_unicode_escape(c) : true;
}

/* Reads a string, from its opening quote on. */
static bool scan_string(struct check *c)
{
    c->at++;
    for (;;) {
        while (c->at < c->end && is_plain[*c->at])
            c->at++;
        if (c->at == c->end)
            return fail(c, NULL);
        if (*c->at == '"') {
            c->at++;
            return true;
        }
        if (*c->at == '\\') {
            if (!scan_escape(c))
                return false;
            continue;
        }
        if (*c->at < 0x20)
            return fail(c, "control character in a string");
        size_t n = text_utf8_length((const char *)c->at, (size_t)(c->end - c->at));
        if (n == 0)
            return fail(c, "invalid UTF-8");
        c->at += n;
    }
}

static bool scan_digits(struct check *c)
{
    if (!is_digit(c))
        return fail(c, "a digit was expected in a number");
    while (is_digit(c))
        c->at++;
    return true;
}

/* Reads the longest number there is; "01" and "0x10" read as 0, and what follows is no comma. */
static bool scan_number(struct check *c)
{
    if (is_one_of(c, '-', '-'))
        c->at++;
    if (is_one_of(c, '0', '0'))
        c->at++;
    else if (!scan_digits(c))
        return false;
    if (is_one_of(c, '.', '.')) {
        c->at++;
        if (!scan_digits(c))
            return false;
    }
    if (is_one_of(c, 'e', 'E')) {
        c->at++;
        if (is_one_of(c, '+', '-'))
            c->at++;
        if (!scan_digits(c))
            return false;
    }
    return true;
}

static bool scan_word(struct check *c, const char *word)
{
    for (; *word; word++, c->at++)
        if (c->at == c->end || *c->at != (unsigned char)*word)
            return fail(c, "a value was expected");
    return true;
}

static bool open_container(struct check *c, bool object)
{
    if (c->depth >= c->max_depth)
        return fail(c, "nested too deep");
    uint8_t bit = (uint8_t)(1u << c->depth % 8);
    uint8_t *byte = &c->is_object[c->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    c->depth++;
    c->at++;
    c->expect = object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
    return true;
}

static bool close_container(struct check *c)
{
    c->depth--;
    c->at++;
    return value_done(c);
}

static bool step_value(struct check *c)
{
    switch (*c->at) {
    case '{':
        return open_container(c, true);
    case '[':
        return open_container(c, false);
    case '"':
        return scan_string(c) && value_done(c);
    case 't':
        return scan_word(c, "true") && value_done(c);
    case 'f':
        return scan_word(c, "false") && value_done(c);
    case 'n':
        return scan_word(c, "null") && value_done(c);
    default:
        if (*c->at != '-' && !is_digit(c))
            return fail(c, "a value was expected");
        return scan_number(c) && value_done(c);
    }
}

static bool step_key(struct check *c)
{
    if (*c->at != '"')
        return fail(c, "a key in double quotes was expected");
    c->expect = COLON;
    return scan_string(c);
}

static bool step_colon(struct check *c)
{
    if (*c->at != ':')
        return fail(c, "a colon was expected");
    c->at++;
    c->expect = VALUE;
    return true;
}

static bool step_comma(struct check *c)
{
    bool object = in_object(c);
    if (*c->at == (object ? '}' : ']'))
        return close_container(c);
    if (*c->at != ',')
        return fail(c, object ? "a comma or } was expected" : "a comma or ] was expected");
    c->at++;
    c->expect = object ? KEY : VALUE;
    return true;
}

/* Reads one token, which begins here: blanks are skipped already. */
static bool step(struct check *c)
{
    switch (c->expect) {
    case VALUE_OR_CLOSE:
        return *c->at == ']' ? close_container(c) : step_value(c);
    case VALUE:
        return step_value(c);
    case KEY_OR_CLOSE:
        return *c->at == '}' ? close_container(c) : step_key(c);
    case KEY:
        return step_key(c);
    case COLON:
        return step_colon(c);
    case COMMA_OR_CLOSE:
        return step_comma(c);
    case END:
        break;
    }
    return fail(c, "text after the value");
}

static bool check_text(struct check *c)
{
    for (;;) {
        skip_blanks(c);
        if (c->at == c->end)
            return c->expect == END || fail(c, NULL);
        if (!step(c))
            return false;
    }
}

int json_check(const char *text, size_t len, int max_depth, char *err, size_t err_size)
{
    struct check c; /* is_object is written before it is read; clearing it would cost more than a
                       small job */
    c.at = (const unsigned char *)text;
    c.end = c.at + len;
    c.expect = VALUE;
    c.depth = 0;
    c.max_depth = max_depth < DEEPEST ? max_depth : DEEPEST;
    c.trouble = NULL;

    if (check_text(&c))
        return 0;
    snprintf(err, err_size, "byte %zu: %s", (size_t)(c.at - (const unsigned char *)text) + 1,
             c.trouble);
    return -1;
}
