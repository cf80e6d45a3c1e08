#pragma once

#include <stdint.h>

/// epoll and eventfd with the types Swift wants. Glibc's module imports the structures (one of them packed) and the
/// constants in three different integer types, so the few calls a reactor makes are given whole.

/// What is waited for and what has come, the same bits both ways.
enum {
    OCTAVO_READ = 1,
    OCTAVO_WRITE = 2,
};

/// One descriptor that became ready. An error or a hang-up counts as both, so that whoever waits finds it out by
/// reading or writing.
typedef struct {
    int32_t descriptor;
    uint32_t ready;
} octavo_event;

/// A new close-on-exec epoll instance, or -1 with errno.
int octavo_epoll_open(void);

/// Arms `descriptor` for one event. Returns 0 or an errno.
///
/// Always a modification first and an addition only when the kernel does not know the descriptor: a descriptor that was
/// closed and opened again under the same number has silently left the epoll set, and only the kernel knows it.
int octavo_epoll_arm(int epoll, int descriptor, uint32_t interest);

/// Removes `descriptor`; it is no error when it is not there.
void octavo_epoll_forget(int epoll, int descriptor);

/// Waits at most `milliseconds` (-1: for ever) and returns how many of `events` were filled; 0 also after a signal.
int octavo_epoll_wait(int epoll, octavo_event *events, int capacity, int milliseconds);

/// A new non-blocking, close-on-exec eventfd, registered with `epoll` level-triggered, or -1 with errno.
int octavo_wakeup_open(int epoll);

/// Makes the eventfd readable. Callable from any thread.
void octavo_wakeup_signal(int wakeup);

/// Makes the eventfd unreadable again.
void octavo_wakeup_clear(int wakeup);
