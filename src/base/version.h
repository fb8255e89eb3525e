/* version.h - what this program calls itself, and what it knows. Process titles show the first two
 * numbers of the version (title.h). */
#ifndef VERSION_H
#define VERSION_H

#define VERSION_TEXT "1.0.0"

/* What a worker knows that every worker of its fleet has to know: one more for each such thing, in
 * the release that brings it (a key, a record or an order that older workers would misunderstand).
 * The same release refuses it while an older worker is registered (lua/server/lib/features.lua).
 * What a worker does by itself does not count. Workers that do not tell count as 0. */
#define VERSION_FEATURES 1

#endif
