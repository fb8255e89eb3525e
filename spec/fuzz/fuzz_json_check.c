/* needs: base/json_check.c base/text.c */
/* fuzz_json_check.c - the checker against a plain recursive one that follows the grammar of RFC
 * 8259 rule by rule. The first byte of the input is the depth allowed, the rest the text. */
#include "base/json_check.h"

#include "fuzz.h"

struct reader {
    const uint8_t *at, *end;
    int levels; /* still allowed */
};

static bool read_value(struct reader *r);

static int peek(const struct reader *r)
{
    return r->at < r->end ? *r->at : -1;
}

static bool eat(struct reader *r, int c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static bool eat_text(struct reader *r, const char *text)
{
    for (; *text; text++)
        if (!eat(r, (uint8_t)*text))
            return false;
    return true;
}

static void read_blanks(struct reader *r)
{
    while (eat(r, ' ') || eat(r, '\t') || eat(r, '\n') || eat(r, '\r'))
        continue;
}

static bool read_digits(struct reader *r)
{
    const uint8_t *start = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at > start;
}

static bool read_number(struct reader *r)
{
    eat(r, '-');
    if (!eat(r, '0') && !read_digits(r))
        return false;
    if (eat(r, '.') && !read_digits(r))
        return false;
    if (eat(r, 'e') || eat(r, 'E')) {
        if (!eat(r, '+'))
            eat(r, '-');
        return read_digits(r);
    }
    return true;
}

static long read_hex4(struct reader *r)
{
    char digits[5] = "", *end;
    for (int i = 0; i < 4; i++) {
        int c = peek(r);
        if (c <= 0 || !strchr("0123456789abcdefABCDEF", c))
            return -1;
        digits[i] = (char)c;
        r->at++;
    }
    return strtol(digits, &end, 16);
}

static bool read_escape(struct reader *r)
{
    int c = peek(r);
    if (c > 0 && strchr("\"\\/bfnrt", c))
        return eat(r, c);
    if (!eat(r, 'u'))
        return false;
    long code = read_hex4(r);
    if (code >= 0xD800 && code < 0xDC00) {
        long low = eat_text(r, "\\u") ? read_hex4(r) : -1;
        return low >= 0xDC00 && low < 0xE000;
    }
    return code >= 0 && (code < 0xD800 || code >= 0xE000);
}

static bool read_string(struct reader *r)
{
    if (!eat(r, '"'))
        return false;
    while (!eat(r, '"')) {
        size_t n = reference_utf8(r->at, (size_t)(r->end - r->at));
        if (eat(r, '\\')) {
            if (!read_escape(r))
                return false;
            continue;
        }
        if (n == 0 || peek(r) < 0x20)
            return false;
        r->at += n;
    }
    return true;
}

/* The elements up to the closing bracket, after the opening one. */
static bool read_elements(struct reader *r, bool object)
{
    int close = object ? '}' : ']';
    bool good = r->levels-- > 0;
    read_blanks(r);
    if (good && !eat(r, close)) {
        do {
            read_blanks(r);
            if (object) {
                good = read_string(r);
                read_blanks(r);
                good = good && eat(r, ':');
                read_blanks(r);
            }
            good = good && read_value(r);
            read_blanks(r);
        } while (good && eat(r, ','));
        good = good && eat(r, close);
    }
    r->levels++;
    return good;
}

static bool read_value(struct reader *r)
{
    if (eat(r, '['))
        return read_elements(r, false);
    if (eat(r, '{'))
        return read_elements(r, true);
    if (peek(r) == '"')
        return read_string(r);
    if (peek(r) == 't' || peek(r) == 'f' || peek(r) == 'n')
        return eat_text(r, peek(r) == 't' ? "true" : peek(r) == 'f' ? "false" : "null");
    return read_number(r);
}

static bool reference(const uint8_t *text, size_t len, int max_depth)
{
    struct reader r = {.at = text, .end = text + len, .levels = max_depth};
    read_blanks(&r);
    bool good = read_value(&r);
    read_blanks(&r);
    return good && r.at == r.end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    int max_depth = data[0];
    char err[128] = "";
    bool good = json_check(text, size - 1, max_depth, err, sizeof err) == 0;
    CHECK(good == reference(data + 1, size - 1, max_depth));
    CHECK(good == (err[0] == '\0'));
    if (!good) {
        size_t at = strtoul(err + strlen("byte "), NULL, 10);
        CHECK(at >= 1 && at <= size);
        CHECK(reference_is_utf8(err, strlen(err)));
    }
    return 0;
}
