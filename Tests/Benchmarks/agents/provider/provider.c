// A model provider and Slack in one, for the benchmark: an answer after a pause, and {"ok":true} at once. One thread, one
// epoll: it has to stay far below the CPU of whoever asks it.
//
//     octavo-benchmark-provider PORT
//
// A pause is 200 ms until a request to /pause/MILLISECONDS changes it; not while answers are due. The first token of a streamed answer is
// the time at which it was written, in nanoseconds of CLOCK_MONOTONIC; the rest comes with it, or so much later as a request to
// /rest/MILLISECONDS says.

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 64 << 10, EVENTS = 1024, CONNECTIONS = 1 << 16 };

/// A connection has one request at a time.
struct connection {
    int descriptor;
    size_t length;
    char *bytes;
    /// When it is to be answered; 0 while it is not.
    long due;
    int is_streamed;
    /// The first token has been said.
    int is_begun;
    /// Who asked has left before the answer.
    int is_left;
    struct connection *next;
};

static struct connection *connections[CONNECTIONS];
/// Those that wait for the same pause: so they are due in the order they came.
struct queue {
    struct connection *first, *last;
    long pause;
};

static struct queue answers = {.pause = 200000000L}, rests;

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void say(struct connection *connection, const char *text, size_t length) {
    // An answer always fits into the socket's buffer; who does not read it is dropped by the next read.
    if (write(connection->descriptor, text, length) < 0 && errno != EPIPE && errno != ECONNRESET) perror("write");
}

static void say_json(struct connection *connection, const char *json) {
    char text[2048];
    int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                          strlen(json), json);
    say(connection, text, length);
}

static int append_event(char *text, size_t room, const char *json) {
    return snprintf(text, room, "%zx\r\ndata: %s\n\n\r\n", strlen(json) + 8, json);
}

#define CHUNK "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-5\",\"choices\":[{\"index\":0,"
#define USAGE "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":9,\"total_tokens\":21}"

static int append_start(char *text, size_t room) {
    char token[256];
    int length = snprintf(text, room, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    snprintf(token, sizeof token, CHUNK "\"delta\":{\"role\":\"assistant\",\"content\":\"%ld\"}}]}", now());
    return length + append_event(text + length, room - length, token);
}

static int append_rest(char *text, size_t room) {
    int length = append_event(text, room, CHUNK "\"delta\":{\"content\":\": push to main, and it is deployed.\"}}]}");
    length += append_event(text + length, room - length, CHUNK "\"delta\":{},\"finish_reason\":\"stop\"}]}");
    length += append_event(text + length, room - length,
                           "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-5\",\"choices\":[]," USAGE "}");
    length += append_event(text + length, room - length, "[DONE]");
    return length + snprintf(text + length, room - length, "0\r\n\r\n");
}

static void wait_in(struct queue *queue, struct connection *connection) {
    connection->due = now() + queue->pause;
    connection->next = NULL;
    if (queue->last) queue->last->next = connection; else queue->first = connection;
    queue->last = connection;
}

static void answer(struct connection *connection) {
    if (!connection->is_streamed) {
        say_json(connection,
                 "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"gpt-5\",\"choices\":[{\"index\":0,"
                 "\"message\":{\"role\":\"assistant\",\"content\":\"Push to main, and it is deployed.\"},"
                 "\"finish_reason\":\"stop\"}]," USAGE "}");
        return;
    }
    char text[4096];
    int length = connection->is_begun ? 0 : append_start(text, sizeof text);
    if (connection->is_begun || !rests.pause) length += append_rest(text + length, sizeof text - length);
    say(connection, text, length);
    connection->is_begun = !connection->is_begun && rests.pause;
    if (connection->is_begun) wait_in(&rests, connection);
}

static void leave(struct connection *connection) {
    if (!connection->is_left) {
        connections[connection->descriptor] = NULL;
        close(connection->descriptor);
        connection->is_left = 1;
    }
    // It stands in the queue until its turn.
    if (connection->due) return;
    free(connection->bytes);
    free(connection);
}

static const char *field(const char *head, const char *name) {
    const char *line = strcasestr(head, name);
    return line ? line + strlen(name) : NULL;
}

static void receive(struct connection *connection) {
    ssize_t count = read(connection->descriptor, connection->bytes + connection->length, REQUEST_BYTES - 1 - connection->length);
    if (count <= 0) {
        if (count < 0 && errno == EAGAIN) return;
        leave(connection);
        return;
    }
    connection->length += count;
    connection->bytes[connection->length] = 0;
    char *end = strstr(connection->bytes, "\r\n\r\n");
    if (!end) return;
    const char *length = field(connection->bytes, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length, NULL, 10) : 0;
    if (connection->length < (end + 4 - connection->bytes) + body) return;
    connection->length = 0;
    if (!strncmp(connection->bytes, "POST /pause/", 12)) answers.pause = atol(connection->bytes + 12) * 1000000L;
    if (!strncmp(connection->bytes, "POST /rest/", 11)) rests.pause = atol(connection->bytes + 11) * 1000000L;
    if (!strstr(connection->bytes, "/chat/completions ")) {
        say_json(connection, "{\"ok\":true}");
        return;
    }
    connection->is_streamed = strstr(end, "\"stream\":true") || strstr(end, "\"stream\": true");
    wait_in(&answers, connection);
}

/// Says what is due. A connection whose rest comes later waits once more.
static void say_due(struct queue *queue) {
    for (long time = now(); queue->first && queue->first->due <= time;) {
        struct connection *connection = queue->first;
        queue->first = connection->next;
        if (!queue->first) queue->last = NULL;
        connection->due = 0;
        if (connection->is_left) leave(connection);
        else answer(connection);
    }
}

/// When something is due again, in nanoseconds from now; -1 for never.
static long next_due(void) {
    if (!answers.first && !rests.first) return -1;
    long due = answers.first ? answers.first->due : rests.first->due;
    if (rests.first && rests.first->due < due) due = rests.first->due;
    long rest = due - now();
    return rest < 0 ? 0 : rest;
}

static void add(int epoll, int listener) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (descriptor >= CONNECTIONS) {
            close(descriptor);
            continue;
        }
        struct connection *connection = calloc(1, sizeof *connection);
        connection->descriptor = descriptor;
        connection->bytes = malloc(REQUEST_BYTES);
        connections[descriptor] = connection;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    }
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) fail("listen");
    return listener;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "octavo-benchmark-provider PORT\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = listen_on(atoi(arguments[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        long rest = next_due();
        // To the microsecond: a millisecond would be a part of what is measured.
        struct timespec time = {.tv_sec = rest / 1000000000L, .tv_nsec = rest % 1000000000L};
        int found = epoll_pwait2(epoll, events, EVENTS, rest < 0 ? NULL : &time, NULL);
        for (int index = 0; index < found; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor == listener) add(epoll, listener);
            else if (connections[descriptor]) receive(connections[descriptor]);
        }
        say_due(&answers);
        say_due(&rests);
    }
}
