#define _GNU_SOURCE
#include "octavo_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// The first descriptor of socket activation, sd_listen_fds(3).
#define FIRST_PASSED 3

struct failure {
    enum octavo_spawn_step step;
    int error;
};

// MARK: In the child. Another thread may have held any lock at the fork, malloc's among them, so everything from here
// to execve(2) is async-signal-safe: system calls and arithmetic on memory the parent prepared.

static _Noreturn void report(int pipe, enum octavo_spawn_step step, int error) {
    struct failure failure = {step, error};
    // Less than PIPE_BUF into an empty pipe: written whole or not at all.
    ssize_t ignored = write(pipe, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

static void write_decimal(char *slot, pid_t pid) {
    char digits[OCTAVO_SPAWN_PID_BYTES];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + pid % 10);
        pid /= 10;
    } while (pid > 0 && count < sizeof digits - 1);
    while (count > 0) *slot++ = digits[--count];
    *slot = '\0';
}

// Handlers do not survive execve(2), but "ignored" and the mask do: a daemon started with SIGTERM blocked never stops.
static int reset_signals(void) {
    // The kernel's own structure, and all zeros are SIG_DFL: glibc's sigaction(2) refuses the two signals it keeps for
    // itself, which an ancestor may have left ignored.
    static const unsigned long standard[4];
    for (int signal = 1; signal < NSIG; signal++) {
        // SIGKILL and SIGSTOP answer EINVAL.
        if (syscall(SYS_rt_sigaction, signal, standard, NULL, (size_t)(NSIG / 8)) < 0 && errno != EINVAL) return -1;
    }
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

// Sources may already sit in the target range (source 4 wanted at 3, source 3 at 4), so all of them first move above
// it, and only then into place. The report pipe moves with them. dup2(2) leaves the copies without close-on-exec.
static int place_descriptors(const struct octavo_spawn_request *request, int *pipe) {
    int count = (int)request->descriptor_count, above = FIRST_PASSED + count;
    int moved[OCTAVO_SPAWN_MAX_DESCRIPTORS];

    int report_pipe = fcntl(*pipe, F_DUPFD_CLOEXEC, above);
    if (report_pipe < 0) return -1;
    *pipe = report_pipe;
    int input = request->standard_input, output = request->standard_output, error = request->standard_error;
    if (input >= 0 && (input = fcntl(input, F_DUPFD_CLOEXEC, above)) < 0) return -1;
    if (output >= 0 && (output = fcntl(output, F_DUPFD_CLOEXEC, above)) < 0) return -1;
    if (error >= 0 && (error = fcntl(error, F_DUPFD_CLOEXEC, above)) < 0) return -1;
    for (int i = 0; i < count; i++) {
        if ((moved[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, above)) < 0) return -1;
    }

    if (input < 0 && (input = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) return -1;
    // When the parent itself runs without standard input, open(2) returned 0 and dup2 would keep close-on-exec.
    if (input == STDIN_FILENO ? fcntl(input, F_SETFD, 0) < 0 : dup2(input, STDIN_FILENO) < 0) return -1;
    if (output >= 0 && dup2(output, STDOUT_FILENO) < 0) return -1;
    if (error >= 0 && dup2(error, STDERR_FILENO) < 0) return -1;
    for (int i = 0; i < count; i++) {
        if (dup2(moved[i], FIRST_PASSED + i) < 0) return -1;
    }
    // Marked rather than closed: the report pipe must live until execve(2) has succeeded.
    return (int)syscall(SYS_close_range, (unsigned)above, ~0U, CLOSE_RANGE_CLOEXEC);
}

// The plain system calls: glibc's wrappers signal every thread of the process, and the child has only this one.
static int change_identity(const struct octavo_spawn_request *request) {
    if (!request->change_identity) return 0;
    uid_t user = request->user;
    gid_t group = request->group;
    if (syscall(SYS_setgroups, request->supplementary_group_count, request->supplementary_groups) < 0) return -1;
    if (syscall(SYS_setresgid, group, group, group) < 0) return -1;
    return (int)syscall(SYS_setresuid, user, user, user);
}

static _Noreturn void become(const struct octavo_spawn_request *request, pid_t parent, int pipe) {
    if (reset_signals() < 0) report(pipe, OCTAVO_SPAWN_SIGNALS, errno);
    if (request->own_process_group && setpgid(0, 0) < 0) report(pipe, OCTAVO_SPAWN_GROUP, errno);
    if (place_descriptors(request, &pipe) < 0) report(pipe, OCTAVO_SPAWN_DESCRIPTORS, errno);
    if (change_identity(request) < 0) report(pipe, OCTAVO_SPAWN_IDENTITY, errno);
    if (request->death_signal != 0) {
        // After the change of identity, which clears it. And a parent that died before this line will not be
        // announced any more: then the child has a new parent already.
        if (prctl(PR_SET_PDEATHSIG, request->death_signal) < 0) report(pipe, OCTAVO_SPAWN_DEATH_SIGNAL, errno);
        if (getppid() != parent) report(pipe, OCTAVO_SPAWN_DEATH_SIGNAL, ESRCH);
    }
    if (request->directory && chdir(request->directory) < 0) report(pipe, OCTAVO_SPAWN_DIRECTORY, errno);
    if (request->listen_pid) write_decimal(request->listen_pid, getpid());
    execve(request->path, request->arguments, request->environment);
    report(pipe, OCTAVO_SPAWN_EXEC, errno);
}

// MARK: In the parent.

static struct octavo_spawn_result failed(enum octavo_spawn_step step, int error) {
    return (struct octavo_spawn_result){.pid = 0, .pidfd = -1, .failed_step = step, .error = error};
}

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

static struct octavo_spawn_result spawn_here(const struct octavo_spawn_request *request) {
    if (request->descriptor_count > OCTAVO_SPAWN_MAX_DESCRIPTORS) return failed(OCTAVO_SPAWN_REQUEST, E2BIG);
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0) return failed(OCTAVO_SPAWN_RESOURCES, errno);

    // The spawning thread blocks every signal (see below), so no handler of the parent runs in the child.
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) become(request, parent, pipe[1]);
    int fork_error = errno;
    close(pipe[1]);
    if (pid < 0) {
        close(pipe[0]);
        return failed(OCTAVO_SPAWN_FORK, fork_error);
    }

    struct failure failure;
    ssize_t got;
    while ((got = read(pipe[0], &failure, sizeof failure)) < 0 && errno == EINTR) {}
    close(pipe[0]);
    if (got == (ssize_t)sizeof failure) {
        reap(pid);
        return failed(failure.step, failure.error);
    }
    // End of file: execve(2) closed the pipe. Nobody else reaps the child, so its number is still its own.
    int pidfd = octavo_pidfd_open(pid);
    if (pidfd < 0) {
        int error = errno;
        kill(pid, SIGKILL);
        reap(pid);
        return failed(OCTAVO_SPAWN_RESOURCES, error);
    }
    return (struct octavo_spawn_result){.pid = pid, .pidfd = pidfd, .failed_step = OCTAVO_SPAWN_NONE, .error = 0};
}

// "Parent" in PR_SET_PDEATHSIG(2const) is the *thread* that forked. A thread of a pool may end when it is idle, and the
// kernel would then end a healthy child. So one thread that never ends does all the forking.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const struct octavo_spawn_request *wanted;
static struct octavo_spawn_result answer;
static enum { NO_THREAD, IDLE, ASKED, ANSWERED } state = NO_THREAD;

static void *spawner(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (state != ASKED) pthread_cond_wait(&changed, &lock);
        answer = spawn_here(wanted);
        state = ANSWERED;
        pthread_cond_broadcast(&changed);
    }
    return NULL;
}

static int start_spawner(void) {
    sigset_t all, before;
    sigfillset(&all);
    // A new thread inherits the mask of the thread that makes it.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, spawner, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_detach(thread);
        state = IDLE;
    }
    return error;
}

struct octavo_spawn_result octavo_spawn(const struct octavo_spawn_request *request) {
    pthread_mutex_lock(&lock);
    int error = state == NO_THREAD ? start_spawner() : 0;
    if (error != 0) {
        pthread_mutex_unlock(&lock);
        return failed(OCTAVO_SPAWN_RESOURCES, error);
    }
    while (state != IDLE) pthread_cond_wait(&changed, &lock);
    wanted = request;
    state = ASKED;
    pthread_cond_broadcast(&changed);
    while (state != ANSWERED) pthread_cond_wait(&changed, &lock);
    struct octavo_spawn_result result = answer;
    state = IDLE;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return result;
}

int octavo_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int octavo_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int octavo_pidfd_wait(int pidfd, struct octavo_exit *how) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    while ((result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED)) < 0 && errno == EINTR) {}
    if (result < 0) return -1;
    how->signalled = info.si_code != CLD_EXITED;
    how->value = info.si_status;
    return 0;
}

const char *octavo_error_text(int error) {
    return strerrordesc_np(error);
}

const char *octavo_signal_text(int signal) {
    return sigdescr_np(signal);
}
