/* board.c - see board.h. */
#include "job/board.h"

#include <string.h>

bool board_has_started(const struct board_slot *slot, const char *token)
{
    return strncmp(slot->started_token, token, sizeof slot->started_token) == 0;
}

bool board_wants_cancel(const struct board_slot *slot, const char *token)
{
    return strncmp(slot->cancel, token, sizeof slot->cancel) == 0;
}
