#include "CLibCurl.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

CURLcode portal_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode portal_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode portal_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode portal_curl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

CURLcode portal_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode portal_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode portal_curl_set_write(CURL *handle, CURLoption option, size_t (*callback)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(handle, option, callback);
}

CURLcode portal_curl_set_opensocket(
    CURL *handle, curl_socket_t (*callback)(void *, curlsocktype, struct curl_sockaddr *)) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, callback);
}

CURLcode portal_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLcode portal_curl_get_string(CURL *handle, CURLINFO info, char **value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLcode portal_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLMcode portal_curl_multi_set_long(CURLM *handle, CURLMoption option, long value) {
    return curl_multi_setopt(handle, option, value);
}

CURLcode portal_curl_get_socket(CURL *handle, curl_socket_t *value) {
    return curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, value);
}

CURLcode portal_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLcode portal_curl_set_debug(CURL *handle, int (*callback)(CURL *, curl_infotype, char *, size_t, void *)) {
    return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, callback);
}

static pthread_once_t portal_curl_once = PTHREAD_ONCE_INIT;
static CURLcode portal_curl_started = CURLE_FAILED_INIT;

// OpenSSL writes to sockets without MSG_NOSIGNAL, and a handle with CURLOPT_NOSIGNAL leaves the signal to us: a server that
// closes an encrypted connection must not end the process.
static void portal_curl_ignore_broken_pipes(void) {
    struct sigaction current;
    if (sigaction(SIGPIPE, NULL, &current) == 0 && current.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

static void portal_curl_initialize(void) {
    portal_curl_ignore_broken_pipes();
    portal_curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURLcode portal_curl_start(void) {
    pthread_once(&portal_curl_once, portal_curl_initialize);
    return portal_curl_started;
}

static int portal_socket_wait(curl_socket_t socket, short events, int milliseconds) {
    struct pollfd entry = {.fd = socket, .events = events};
    int ready;
    do {
        ready = poll(&entry, 1, milliseconds);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

int portal_socket_wait_readable(curl_socket_t socket, int milliseconds) {
    return portal_socket_wait(socket, POLLIN, milliseconds);
}

int portal_socket_wait_writable(curl_socket_t socket, int milliseconds) {
    return portal_socket_wait(socket, POLLOUT, milliseconds);
}

void portal_socket_shutdown(curl_socket_t socket) {
    shutdown(socket, SHUT_RDWR);
}
