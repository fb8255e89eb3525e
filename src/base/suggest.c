/* suggest.c - see suggest.h. */
#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

#define SUGGEST_LONGEST 64

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The usual table, three rows of it: row i is the distance of the first i letters of `a` to each
 * start of `b`; the row before the last is for swapped neighbours. */
int suggest_distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    int table[3][SUGGEST_LONGEST];
    if (rows >= SUGGEST_LONGEST || columns >= SUGGEST_LONGEST)
        return SUGGEST_LONGEST;
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = (int)j;
    for (size_t i = 1; i <= rows; i++) {
        int *now = table[i % 3], *before = table[(i + 2) % 3], *earlier = table[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= columns; j++) {
            int replaced = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(replaced, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return table[rows % 3][columns];
}

/* One change in three letters is a slip; more is another word. A start of a longer name is near,
 * too. */
static bool near_enough(const char *typed, const char *candidate)
{
    size_t len = strlen(typed);
    if (len >= 3 && strncmp(typed, candidate, len) == 0)
        return true;
    return suggest_distance(typed, candidate) <= (int)(len < 3 ? 1 : (len + 2) / 3);
}

void suggest_consider(const char *typed, const char *candidate, const char **best)
{
    if (!near_enough(typed, candidate))
        return;
    if (!*best || suggest_distance(typed, candidate) < suggest_distance(typed, *best))
        *best = candidate;
}
