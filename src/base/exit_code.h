/* exit_code.h - what the program's exit codes mean: resque-lua(1), EXIT STATUS. */
#ifndef EXIT_CODE_H
#define EXIT_CODE_H

enum exit_code { /* the same for every command */
                 EXIT_DONE = 0,
                 EXIT_FAILED = 1,
                 EXIT_USAGE = 2,
                 EXIT_INCLUDE = 3,
                 EXIT_REDIS = 4,
                 EXIT_WAIT_TIMEOUT = 5,
};

#endif
