/* embedded.h - the Lua files that travel inside the program; the table is made by embed.sh. */
#ifndef EMBEDDED_H
#define EMBEDDED_H

struct embedded {
    const char *module; /* "resque.json", "server.reserve"; NULL ends the table */
    const char *file;   /* "lua/resque/json.lua", for messages */
    const char *text, *end;
};

extern const struct embedded embedded_files[];

#endif
