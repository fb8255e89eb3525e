/* needs: redis/address.c redis/address_show.c base/memory.c base/plain.c */
/* test_address.c - every form of an address, by table; what is refused, and how it is shown. That
 * no message holds a password is test_address_password's. */
#include "redis/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void assert_text(const char *text, const char *got, const char *expected)
{
    if ((got == NULL) != (expected == NULL) || (got && strcmp(got, expected) != 0))
        fail_msg("%s: %s instead of %s", text, got ? got : "none", expected ? expected : "none");
}

/* struct address with constant texts. */
struct expected {
    const char *host, *path, *user, *password;
    int port; /* 0: the default */
    int db;
    double timeout;
};

static void test_good(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        struct expected a;
        const char *shown;
    } rows[] = {
        /* host, host:port */
        {"localhost", {.host = "localhost", .db = -1}, "redis://localhost:6379"},
        {"localhost:6380", {.host = "localhost", .port = 6380, .db = -1}, "redis://localhost:6380"},
        {"10.0.0.1:1", {.host = "10.0.0.1", .port = 1, .db = -1}, "redis://10.0.0.1:1"},
        {"redis_1.my-net:65535",
         {.host = "redis_1.my-net", .port = 65535, .db = -1},
         "redis://redis_1.my-net:65535"},
        {"[::1]", {.host = "::1", .db = -1}, "redis://[::1]:6379"},
        {"[2001:db8::7]:7000",
         {.host = "2001:db8::7", .port = 7000, .db = -1},
         "redis://[2001:db8::7]:7000"},
        {"[::ffff:10.0.0.1]",
         {.host = "::ffff:10.0.0.1", .db = -1},
         "redis://[::ffff:10.0.0.1]:6379"},
        {"[fe80::1%eth0]:1",
         {.host = "fe80::1%eth0", .port = 1, .db = -1},
         "redis://[fe80::1%eth0]:1"},
        /* redis://, tcp:// */
        {"redis://r", {.host = "r", .db = -1}, "redis://r:6379"},
        {"tcp://r:5", {.host = "r", .port = 5, .db = -1}, "redis://r:5"},
        {"REDIS://R", {.host = "R", .db = -1}, "redis://R:6379"},
        {"redis://r/", {.host = "r", .db = -1}, "redis://r:6379"},
        {"redis://r/0", {.host = "r", .db = 0}, "redis://r:6379/0"},
        {"redis://r:7/12", {.host = "r", .port = 7, .db = 12}, "redis://r:7/12"},
        {"redis://[::1]:7/2", {.host = "::1", .port = 7, .db = 2}, "redis://[::1]:7/2"},
        {"redis://u:p@[::1]",
         {.host = "::1", .user = "u", .password = "p", .db = -1},
         "redis://u:***@[::1]:6379"},
        /* user and password */
        {"redis://u:p@r",
         {.host = "r", .user = "u", .password = "p", .db = -1},
         "redis://u:***@r:6379"},
        {"redis://:p@r", {.host = "r", .password = "p", .db = -1}, "redis://:***@r:6379"},
        {"redis://u:@r", {.host = "r", .user = "u", .db = -1}, "redis://u:@r:6379"},
        {"redis://p@r", {.host = "r", .password = "p", .db = -1}, "redis://:***@r:6379"},
        {"redis://p%40:@q@r/2",
         {.host = "r", .user = "p@", .password = "@q", .db = 2},
         "redis://p%40:***@r:6379/2"},
        {"redis://p@%40q@r/2", {.host = "r", .password = "p@@q", .db = 2}, "redis://:***@r:6379/2"},
        {"redis://c2VjcmV0@r?password-encoding=b",
         {.host = "r", .password = "secret", .db = -1},
         "redis://:***@r:6379"},
        {"redis://:@r", {.host = "r", .db = -1}, "redis://r:6379"},
        {"redis://@r", {.host = "r", .db = -1}, "redis://r:6379"},
        {"redis://u:p:q@r",
         {.host = "r", .user = "u", .password = "p:q", .db = -1},
         "redis://u:***@r:6379"},
        {"redis://u:p@q@r",
         {.host = "r", .user = "u", .password = "p@q", .db = -1},
         "redis://u:***@r:6379"},
        {"redis://u:p q@r",
         {.host = "r", .user = "u", .password = "p q", .db = -1},
         "redis://u:***@r:6379"},
        {"redis://a%40b:%2f%3F%23%25@r",
         {.host = "r", .user = "a@b", .password = "/?#%", .db = -1},
         "redis://a%40b:***@r:6379"},
        {"redis://%C3%BC:%0a%fF@r",
         {.host = "r", .user = "\xC3\xBC", .password = "\n\xFF", .db = -1},
         "redis://%C3%BC:***@r:6379"},
        {"redis://%1b:x@r",
         {.host = "r", .user = "\x1B", .password = "x", .db = -1},
         "redis://%1B:***@r:6379"},
        {"redis://:%2541@r", {.host = "r", .password = "%41", .db = -1}, "redis://:***@r:6379"},
        {"redis://:+@r", {.host = "r", .password = "+", .db = -1}, "redis://:***@r:6379"},
        /* options */
        {"redis://r?db=3", {.host = "r", .db = 3}, "redis://r:6379/3"},
        {"redis://r/3?db=3", {.host = "r", .db = 3}, "redis://r:6379/3"},
        {"redis://r/?timeout=5", {.host = "r", .db = -1, .timeout = 5}, "redis://r:6379"},
        {"redis://r?timeout=0.25&db=1",
         {.host = "r", .db = 1, .timeout = 0.25},
         "redis://r:6379/1"},
        {"redis://r?timeout=999999999.5",
         {.host = "r", .db = -1, .timeout = 999999999.5},
         "redis://r:6379"},
        {"redis://r?", {.host = "r", .db = -1}, "redis://r:6379"},
        {"redis://r?&&db=1&", {.host = "r", .db = 1}, "redis://r:6379/1"},
        {"redis://r?persistent=x&max_connect_retries=3", {.host = "r", .db = -1}, "redis://r:6379"},
        {"redis://r?persistent", {.host = "r", .db = -1}, "redis://r:6379"},
        {"redis://:%70w@r?password-encoding=u",
         {.host = "r", .password = "pw", .db = -1},
         "redis://:***@r:6379"},
        {"redis://:c2VjcmV0@r?password-encoding=b",
         {.host = "r", .password = "secret", .db = -1},
         "redis://:***@r:6379"},
        {"redis://:cGE@r?password-encoding=b",
         {.host = "r", .password = "pa", .db = -1},
         "redis://:***@r:6379"},
        {"redis://:cGE=@r?password-encoding=b",
         {.host = "r", .password = "pa", .db = -1},
         "redis://:***@r:6379"},
        {"redis://:cA%3D%3D@r?password-encoding=b",
         {.host = "r", .password = "p", .db = -1},
         "redis://:***@r:6379"},
        {"redis://:%2B%2f%2B%2F@r?password-encoding=b",
         {.host = "r", .password = "\xFB\xFF\xBF", .db = -1},
         "redis://:***@r:6379"},
        /* unix:// */
        {"unix:///run/redis.sock", {.path = "/run/redis.sock", .db = -1}, "unix:///run/redis.sock"},
        {"unix:///run/redis.sock?db=2",
         {.path = "/run/redis.sock", .db = 2},
         "unix:///run/redis.sock?db=2"},
        {"unix:///s?db=0", {.path = "/s", .db = 0}, "unix:///s?db=0"},
        {"UNIX:///s?timeout=1", {.path = "/s", .db = -1, .timeout = 1}, "unix:///s"},
        {"unix:///a b/%20@:x", {.path = "/a b/%20@:x", .db = -1}, "unix:///a b/%20@:x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = rows[i].text;
        const struct expected *expected = &rows[i].a;
        struct address a;
        char err[400] = "", shown[200];
        memset(&a, 0xAA, sizeof a);
        if (address_parse(&a, text, err, sizeof err) != 0)
            fail_msg("%s: %s", text, err);
        assert_text(text, a.host, expected->host);
        assert_text(text, a.path, expected->path);
        assert_text(text, a.user, expected->user);
        assert_text(text, a.password, expected->password);
        assert_int_equal(a.port, expected->port ? expected->port : ADDRESS_PORT);
        assert_int_equal(a.db, expected->db);
        assert_true(a.timeout == expected->timeout);
        assert_text(text, address_show(&a, shown, sizeof shown), rows[i].shown);
        assert_string_equal(err, "");
        address_clear(&a);
        assert_true(!a.host && !a.path && !a.user && !a.password);
        address_clear(&a);
    }
}

static void test_bad(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *what, *hint; /* hint: a part of it */
    } rows[] = {
        {"", "the address is empty", "unix:///path"},
        {":6379", "there is no host", "host:port"},
        {"redis://", "there is no host", "host:port"},
        {"redis://:6379", "there is no host", "host:port"},
        {"redis:///2", "there is no host", "host:port"},
        {"redis://u:p@", "there is no host", "host:port"},
        {"local host", "the host holds a character that no host name has", "host:port"},
        {"localhost\n", "the address holds a control character (a line end?)", "remove it"},
        {"redis://h\x7F", "the address holds a control character (a line end?)", "remove it"},
        {"h\xC3\xB6st", "the host holds a character that no host name has", "host:port"},
        {"redis://r#x", "the host holds a character that no host name has", "host:port"},
        {"redis://a%2Fb", "the host holds a character that no host name has", "host:port"},
        /* ports */
        {"r:", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:0", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:65536", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:99999999999999999999", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:-1", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:+1", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r: 1", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:0x1", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"redis://r:port/1", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"[::1]6379", "the port is not a number from 1 to 65535", "redis://host:6379"},
        {"r:6379:2", "there is more than one colon after the host", "redis://host:6379/2"},
        {"2001:db8::7", "there is more than one colon after the host", "[::1]:6379"},
        {"::1", "there is no host", "host:port"},
        {"[::1", "a [ has no ] after it", "[::1]:6379"},
        {"[]", "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        {"[1.2.3.4]", "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        {"[::g]:1", "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        {"[1:2:3:4:5:6:7:8:9]", "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        {"[fe80::1%]", "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        {"[fe80::1%e/0]", "there is a / after the host", "redis://host:6379/2"},
        {"[fe80::1%e%0]", "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        {"[0000000000000000000000000000000000000000000000000000000000::1]",
         "what stands in [ ] is no IPv6 address", "[::1]:6379"},
        /* databases */
        {"redis://r/x", "the database is not a number", "redis://host:6379/2"},
        {"redis://r/db2", "the database is not a number", "redis://host:6379/2"},
        {"redis://r/-1", "the database is not a number", "redis://host:6379/2"},
        {"redis://r/1/", "the database is not a number", "redis://host:6379/2"},
        {"redis://r/2147483648", "the database is not a number", "redis://host:6379/2"},
        {"redis://r?db=", "the database is not a number", "redis://host:6379/2"},
        {"redis://r?db", "the database is not a number", "redis://host:6379/2"},
        {"redis://r/1?db=2", "two different databases are given", "redis://host:6379/2"},
        {"localhost/2", "there is a / after the host", "redis://host:6379/2"},
        /* schemes */
        {"rediss://r", "rediss:// (TLS) is not supported", "TLS proxy"},
        {"rediss://:p@r:1/2", "rediss:// (TLS) is not supported", "TLS proxy"},
        {"http://r", "there is no scheme 'http'", "redis://, tcp:// and unix://"},
        {"reddis://u:p@r", "there is no scheme 'reddis'", "redis://, tcp:// and unix://"},
        {"://r", "what stands before :// is no scheme", "redis://"},
        {"a b://r", "what stands before :// is no scheme", "redis://"},
        {"u:p@r", "a user or password needs a scheme in front", "redis://user:password@host:port"},
        {"/run/redis.sock", "a path needs a scheme in front", "unix:///run/redis.sock"},
        {"unix:/run/redis.sock", "there is a / after the host", "redis://host:6379/2"},
        {"unix://run/redis.sock", "a Unix socket needs an absolute path", "three slashes"},
        {"unix://", "a Unix socket needs an absolute path", "three slashes"},
        {"unix:///", "a Unix socket needs an absolute path", "three slashes"},
        {"unix://u:p@/s", "a Unix socket needs an absolute path", "REDIS_PASSWORD"},
        /* options */
        {"redis://r?tiemout=5", "there is no option 'tiemout'", "timeout (seconds)"},
        {"redis://r?password=x", "there is no option 'password'", "password-encoding"},
        {"redis://r?a b=5", "an option has no name that is one", "timeout (seconds)"},
        {"unix:///s?foo", "there is no option 'foo'", "timeout (seconds)"},
        {"redis://r?timeout=", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=x", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=-1", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=1e3", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=inf", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=nan", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=1.", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=.5", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=1.2.3", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?timeout=9999999999", "the timeout is not a number of seconds", "2.5"},
        {"redis://r?password-encoding=x", "password-encoding is neither u nor b", "base64"},
        /* encodings */
        {"redis://u:p%@r", "a % in the password encodes nothing", "%25"},
        {"redis://u:p%4@r", "a % in the password encodes nothing", "%25"},
        {"redis://u:100%sure@r", "a % in the password encodes nothing", "%25"},
        {"redis://u:p%4g@r", "a % in the password encodes nothing", "%25"},
        {"redis://u:p%00q@r", "a % in the password encodes nothing", "%00"},
        {"redis://u%00:p@r", "a % in the user encodes nothing", "%00"},
        {"redis://u%:p@r", "a % in the user encodes nothing", "%25"},
        {"redis://u:p/q@r", "the user or password holds / ? or # as it is", "%2F"},
        {"redis://u:p?q@r", "the user or password holds / ? or # as it is", "%3F"},
        {"redis://u:p#q@r", "the user or password holds / ? or # as it is", "%23"},
        {"redis://:c2Vj!@r?password-encoding=b",
         "the password is not base64, as password-encoding=b says", "leave"},
        {"redis://:c2VjA@r?password-encoding=b",
         "the password is not base64, as password-encoding=b says", "leave"},
        {"redis://:c2V=j@r?password-encoding=b",
         "the password is not base64, as password-encoding=b says", "leave"},
        {"redis://:c2=@r?password-encoding=b",
         "the password is not base64, as password-encoding=b says", "leave"},
        {"redis://:c===@r?password-encoding=b",
         "the password is not base64, as password-encoding=b says", "leave"},
        {"redis://:AAAA@r?password-encoding=b",
         "the password is not base64, as password-encoding=b says", "leave"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address a;
        char err[400] = "";
        memset(&a, 0xAA, sizeof a);
        if (address_parse(&a, rows[i].text, err, sizeof err) != -1)
            fail_msg("accepted: %s", rows[i].text);
        char *hint = strstr(err, "\nhint: ");
        assert_non_null(hint);
        *hint = '\0';
        assert_text(rows[i].text, err, rows[i].what);
        if (!strstr(hint + strlen("\nhint: "), rows[i].hint))
            fail_msg("%s: %s", rows[i].text, hint + 1);
        assert_true(!a.host && !a.path && !a.user && !a.password);
        address_clear(&a);
    }
}

static void test_longest_socket_path(void **unused)
{
    (void)unused;
    enum { MOST = 107 }; /* sun_path, man unix(7) */
    char text[200] = "unix://", err[300];
    struct address a;
    char *path = text + strlen(text);
    memset(path, 'x', MOST + 1);
    path[0] = '/';
    assert_int_equal(address_parse(&a, text, err, sizeof err), -1);
    assert_non_null(strstr(err, "too long"));
    path[MOST] = '\0';
    assert_int_equal(address_parse(&a, text, err, sizeof err), 0);
    assert_string_equal(a.path, path);
    address_clear(&a);
}

/* What is shown can be read again: it goes into the environment of jobs. */
static void test_shown_can_be_read(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "redis://a%40b%3a%2f%25%01:@r:7/3",
        "redis://[fe80::1%eth0]:1/0",
        "unix:///run/a b?db=7",
        "r",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address a;
        char err[300], shown[200], again[200];
        assert_int_equal(address_parse(&a, texts[i], err, sizeof err), 0);
        address_show(&a, shown, sizeof shown);
        address_clear(&a);
        assert_int_equal(address_parse(&a, shown, err, sizeof err), 0);
        assert_string_equal(address_show(&a, again, sizeof again), shown);
        address_clear(&a);
    }
}

/* What stands alone in front of the @ is the password, unless there is another. */
static void test_password_from_elsewhere(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool wanted;
        const char *user, *shown; /* after it was given one */
    } rows[] = {
        {"r", true, NULL, "redis://:***@r:6379"},
        {"unix:///s", true, NULL, "unix:///s"},
        {"redis://@r", true, NULL, "redis://:***@r:6379"},
        {"redis://u@r", true, "u", "redis://u:***@r:6379"},
        {"redis://u%40@r", true, "u@", "redis://u%40:***@r:6379"},
        {"redis://u:@r", true, "u", "redis://u:***@r:6379"},
        {"redis://:p@r", false, NULL, NULL},
        {"redis://u:p@r", false, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address a;
        char err[300], shown[200];
        assert_int_equal(address_parse(&a, rows[i].text, err, sizeof err), 0);
        if (address_wants_password(&a) != rows[i].wanted)
            fail_msg("%s", rows[i].text);
        if (rows[i].wanted) {
            address_set_password(&a, "elsewhere");
            assert_false(address_wants_password(&a));
            assert_text(rows[i].text, a.user, rows[i].user);
            assert_string_equal(a.password, "elsewhere");
            assert_text(rows[i].text, address_show(&a, shown, sizeof shown), rows[i].shown);
        }
        address_clear(&a);
    }
}

static void test_short_buffers(void **unused)
{
    (void)unused;
    struct address a;
    char err[8] = "", shown[16], whole[64];
    assert_int_equal(address_parse(&a, "r:x", err, sizeof err), -1);
    assert_string_equal(err, "the por");
    assert_int_equal(address_parse(&a, "redis://%40%40:p@host:1/2", err, sizeof err), 0);
    address_show(&a, whole, sizeof whole);
    for (size_t size = 1; size < sizeof shown; size++) {
        memset(shown, 'x', sizeof shown);
        assert_ptr_equal(address_show(&a, shown, size), shown);
        assert_int_equal(strlen(shown), size - 1);
        assert_memory_equal(shown, whole, size - 1);
        assert_int_equal(shown[size], 'x');
    }
    shown[0] = 'x';
    address_show(&a, shown, 0);
    assert_int_equal(shown[0], 'x');
    address_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_longest_socket_path),
        cmocka_unit_test(test_shown_can_be_read),
        cmocka_unit_test(test_password_from_elsewhere),
        cmocka_unit_test(test_short_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
