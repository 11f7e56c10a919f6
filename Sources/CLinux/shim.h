#pragma once

// Parts of Glibc that `import Glibc` omits: the event interfaces of Linux. _GNU_SOURCE is not defined here, because it changes what
// the headers define (fd_set, for one), and a file that imports Glibc too would see two definitions of one type.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

/// Declared by <pthread.h> only with _GNU_SOURCE. The kernel accepts names of at most 15 bytes.
extern int pthread_setname_np(pthread_t thread, const char *name);

/// Also declared only with _GNU_SOURCE.
extern int pipe2(int ends[2], int flags);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);

// prctl is variadic, and variadic C is not imported into Swift.

/// The maximum delay of the calling thread's timed waits in nanoseconds (50,000 by default).
static inline int carillon_set_timer_slack(unsigned long nanoseconds) {
    return prctl(PR_SET_TIMERSLACK, nanoseconds, 0UL, 0UL, 0UL);
}

/// The signal that the calling process gets when its parent's thread ends; 0 for none.
static inline int carillon_set_parent_death_signal(int number) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)number, 0UL, 0UL, 0UL);
}
