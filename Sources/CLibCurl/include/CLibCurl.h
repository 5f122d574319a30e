// Typed setters for libcurl's variadic functions, which Swift cannot call.
#ifndef PORTAL_CLIBCURL_H
#define PORTAL_CLIBCURL_H

#include <curl/curl.h>

CURLcode portal_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode portal_curl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode portal_curl_set_pointer(CURL *handle, CURLoption option, void *value);
// Copies the bytes.
CURLcode portal_curl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count);
CURLcode portal_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode portal_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode portal_curl_set_write(CURL *handle, CURLoption option, size_t (*callback)(char *, size_t, size_t, void *));
CURLcode portal_curl_set_opensocket(
    CURL *handle, curl_socket_t (*callback)(void *, curlsocktype, struct curl_sockaddr *));
CURLcode portal_curl_get_long(CURL *handle, CURLINFO info, long *value);
CURLcode portal_curl_get_string(CURL *handle, CURLINFO info, char **value);
CURLcode portal_curl_get_pointer(CURL *handle, CURLINFO info, void **value);
CURLcode portal_curl_get_socket(CURL *handle, curl_socket_t *value);
CURLcode portal_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value);
CURLcode portal_curl_set_debug(CURL *handle, int (*callback)(CURL *, curl_infotype, char *, size_t, void *));
// Readies the library; safe to call from any thread and any number of times.
CURLcode portal_curl_start(void);
CURLMcode portal_curl_multi_set_long(CURLM *handle, CURLMoption option, long value);

// Waiting on a connection's socket: 1 when it is ready or broken, 0 when the time is over, -1 on failure.
int portal_socket_wait_readable(curl_socket_t socket, int milliseconds);
int portal_socket_wait_writable(curl_socket_t socket, int milliseconds);
// Ends both directions without closing, which stays libcurl's.
void portal_socket_shutdown(curl_socket_t socket);

#endif
