/* address_environment.c - where Redis is for a program of plain lua5.4, which has no settings. */
#include "redis/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DB_DIGITS 9 /* more are no number of a database */

int address_from_environment(struct address *a, char *err, size_t err_size)
{
    const char *text = getenv("REDIS_BACKEND"), *db = getenv("REDIS_BACKEND_DB");
    const char *password = getenv("REDIS_PASSWORD");
    if (!text || !*text)
        text = getenv("REDIS_URL");
    if (address_parse(a, text && *text ? text : "localhost", err, err_size) < 0)
        return -1;
    if (db && (strlen(db) > DB_DIGITS || db[strspn(db, "0123456789")])) {
        snprintf(err, err_size, "REDIS_BACKEND_DB is no number of a database");
        return -1;
    }
    if (a->db < 0 && db && *db)
        a->db = atoi(db);
    if (address_wants_password(a) && password && *password)
        address_set_password(a, password);
    return 0;
}
