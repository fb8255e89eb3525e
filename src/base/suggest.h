/* suggest.h - "did you mean": the nearest of some names to what was typed. */
#ifndef SUGGEST_H
#define SUGGEST_H

/* How many single-letter changes (insert, delete, replace, swap of neighbours) make `a` into `b`.
 * Words of 64 letters and more count as far apart. */
int suggest_distance(const char *a, const char *b);

/* Keeps in *best (NULL at first) the candidate nearest to `typed`, of those that are near enough
 * for a typing mistake. */
void suggest_consider(const char *typed, const char *candidate, const char **best);

#endif
