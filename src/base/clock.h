/* clock.h - the two clocks: intervals are monotonic, what people read is wall time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock. Only differences mean anything. */
int64_t clock_ms(void);

/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

/* `seconds` from now as a deadline in clock_ms() terms; saturates, so INFINITY is CLOCK_NEVER. */
int64_t clock_after(double seconds);

/* The earlier of two deadlines. */
int64_t clock_sooner(int64_t a, int64_t b);

/* The wall clock in local time as "2012-01-16 13:42:55" (process titles). */
#define CLOCK_LOCAL_SIZE 20
void clock_local(char out[CLOCK_LOCAL_SIZE]);

#endif
