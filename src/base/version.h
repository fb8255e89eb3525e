/* version.h - what this program calls itself. Process titles show the first two numbers (title.h).
 */
#ifndef VERSION_H
#define VERSION_H

#define VERSION_TEXT "1.0.0"

#endif
