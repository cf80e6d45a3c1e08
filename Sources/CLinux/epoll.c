#include "octavo_epoll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// A batch larger than this only delays the jobs that the first events made runnable.
#define BATCH 64

int octavo_epoll_open(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

int octavo_epoll_arm(int epoll, int descriptor, uint32_t interest) {
    struct epoll_event event = {.events = EPOLLONESHOT, .data.fd = descriptor};
    if (interest & OCTAVO_READ) event.events |= EPOLLIN | EPOLLRDHUP;
    if (interest & OCTAVO_WRITE) event.events |= EPOLLOUT;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    if (errno != ENOENT) return errno;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

void octavo_epoll_forget(int epoll, int descriptor) {
    struct epoll_event unused = {0};
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &unused);
}

int octavo_epoll_wait(int epoll, octavo_event *events, int capacity, int milliseconds) {
    struct epoll_event batch[BATCH];
    int count = epoll_wait(epoll, batch, capacity < BATCH ? capacity : BATCH, milliseconds);
    for (int i = 0; i < count; i++) {
        uint32_t got = batch[i].events, ready = 0;
        if (got & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= OCTAVO_READ;
        if (got & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready |= OCTAVO_WRITE;
        events[i] = (octavo_event){.descriptor = batch[i].data.fd, .ready = ready};
    }
    return count < 0 ? 0 : count;
}

int octavo_wakeup_open(int epoll) {
    int wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wakeup < 0) return -1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = wakeup};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0) return wakeup;
    int error = errno;
    close(wakeup);
    errno = error;
    return -1;
}

void octavo_wakeup_signal(int wakeup) {
    uint64_t one = 1;
    // The counter cannot overflow in practice, and a full one is readable too: nothing to handle.
    ssize_t ignored = write(wakeup, &one, sizeof one);
    (void)ignored;
}

void octavo_wakeup_clear(int wakeup) {
    uint64_t count;
    ssize_t ignored = read(wakeup, &count, sizeof count);
    (void)ignored;
}
