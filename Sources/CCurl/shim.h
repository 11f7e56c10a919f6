#pragma once

#include <curl/curl.h>

#include "decoders.h"

// Variadic C functions cannot be imported into Swift: there is one function for each option and value. Their signatures are the
// only type check (libcurl reads a long with va_arg(long), whatever was passed).

// ------------------------------------------------------------------------------------------------------ A transfer's options

static inline CURLcode carillon_set_private(CURL *handle, void *pointer) {
    return curl_easy_setopt(handle, CURLOPT_PRIVATE, pointer);
}
static inline CURLcode carillon_set_url(CURL *handle, const char *url) {
    return curl_easy_setopt(handle, CURLOPT_URL, url);
}
static inline CURLcode carillon_set_protocols(CURL *handle, const char *names) {
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, names);
}
/// One of CURL_HTTP_VERSION_…
static inline CURLcode carillon_set_http_version(CURL *handle, long version) {
    return curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, version);
}
static inline CURLcode carillon_set_get(CURL *handle) {
    return curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
}
static inline CURLcode carillon_set_no_body(CURL *handle, long on) {
    return curl_easy_setopt(handle, CURLOPT_NOBODY, on);
}
/// Copies the body, and sets the method to POST.
static inline CURLcode carillon_set_post_body(CURL *handle, const char *bytes, curl_off_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, bytes);
}
/// Frees the copy.
static inline CURLcode carillon_clear_post_body(CURL *handle) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_POSTFIELDS, NULL);
}
/// The method in the request line; NULL for libcurl's default.
static inline CURLcode carillon_set_method(CURL *handle, const char *method) {
    return curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
}
/// Not copied: the list must outlive the transfer.
static inline CURLcode carillon_set_headers(CURL *handle, struct curl_slist *headers) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}
static inline CURLcode carillon_set_timeout_ms(CURL *handle, long milliseconds) {
    return curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds);
}
static inline CURLcode carillon_set_connect_timeout_ms(CURL *handle, long milliseconds) {
    return curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
}
static inline CURLcode carillon_set_fresh_connect(CURL *handle, long on) {
    return curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, on);
}
static inline CURLcode carillon_set_forbid_reuse(CURL *handle, long on) {
    return curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, on);
}
static inline CURLcode carillon_set_follow_location(CURL *handle, long on) {
    return curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, on);
}
static inline CURLcode carillon_set_no_signal(CURL *handle, long on) {
    return curl_easy_setopt(handle, CURLOPT_NOSIGNAL, on);
}
/// A transfer that ends during name resolution does not wait for the resolver's thread, which may take many seconds.
static inline CURLcode carillon_set_quick_exit(CURL *handle, long on) {
    return curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, on);
}
/// "" disables the proxy, whatever the environment says.
static inline CURLcode carillon_set_proxy(CURL *handle, const char *proxy) {
    return curl_easy_setopt(handle, CURLOPT_PROXY, proxy);
}
static inline CURLcode carillon_set_no_proxy(CURL *handle, const char *hosts) {
    return curl_easy_setopt(handle, CURLOPT_NOPROXY, hosts);
}
static inline CURLcode carillon_set_tls_verification(CURL *handle) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
}
/// A PEM file of trusted certificate authorities, instead of the system's.
static inline CURLcode carillon_set_ca_file(CURL *handle, const char *path) {
    return curl_easy_setopt(handle, CURLOPT_CAINFO, path);
}
/// A bit mask of CURLSSLOPT_…
static inline CURLcode carillon_set_ssl_options(CURL *handle, long mask) {
    return curl_easy_setopt(handle, CURLOPT_SSL_OPTIONS, mask);
}
/// The age above which an idle connection is not reused.
static inline CURLcode carillon_set_max_connection_age(CURL *handle, long seconds) {
    return curl_easy_setopt(handle, CURLOPT_MAXLIFETIME_CONN, seconds);
}
/// How long a resolved name is cached.
static inline CURLcode carillon_set_name_cache_timeout(CURL *handle, long seconds) {
    return curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, seconds);
}
/// A buffer of CURL_ERROR_SIZE bytes that lives as long as the handle.
static inline CURLcode carillon_set_error_buffer(CURL *handle, char *buffer) {
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, buffer);
}
static inline CURLcode carillon_set_write_function(CURL *handle, curl_write_callback function, void *data) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, data);
}
static inline CURLcode carillon_set_open_socket_function(
    CURL *handle, curl_opensocket_callback function, void *data
) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, data);
}

/// Called each time a connection is ready and the request is about to be sent.
static inline CURLcode carillon_set_prerequest_function(CURL *handle, curl_prereq_callback function, void *data) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_PREREQDATA, data);
}

// ------------------------------------------------------------------------------------------------------ A transfer's values

static inline long carillon_response_code(CURL *handle) {
    long value = 0;
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &value) == CURLE_OK ? value : 0;
}
/// Bytes of requests passed to the network, over all attempts of the transfer.
static inline long carillon_request_bytes(CURL *handle) {
    long value = 0;
    return curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &value) == CURLE_OK ? value : -1;
}
static inline long carillon_os_error(CURL *handle) {
    long value = 0;
    return curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &value) == CURLE_OK ? value : 0;
}
/// New TCP connections of the transfer; a TLS handshake may have failed on them.
static inline long carillon_new_connections(CURL *handle) {
    long value = 0;
    return curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &value) == CURLE_OK ? value : 0;
}
/// Microseconds until the connection was established; 0 if it was not.
static inline curl_off_t carillon_connect_us(CURL *handle) {
    curl_off_t value = 0;
    return curl_easy_getinfo(handle, CURLINFO_CONNECT_TIME_T, &value) == CURLE_OK ? value : 0;
}
/// Microseconds until the end of the TLS handshake; 0 without one.
static inline curl_off_t carillon_tls_us(CURL *handle) {
    curl_off_t value = 0;
    return curl_easy_getinfo(handle, CURLINFO_APPCONNECT_TIME_T, &value) == CURLE_OK ? value : 0;
}
/// Microseconds until the name was resolved; 0 if it was not.
static inline curl_off_t carillon_resolve_us(CURL *handle) {
    curl_off_t value = 0;
    return curl_easy_getinfo(handle, CURLINFO_NAMELOOKUP_TIME_T, &value) == CURLE_OK ? value : 0;
}
/// The last Content-Type of the response; NULL without one.
static inline const char *carillon_content_type(CURL *handle) {
    char *value = NULL;
    return curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &value) == CURLE_OK ? value : NULL;
}
static inline void *carillon_private(CURL *handle) {
    char *value = NULL;
    return curl_easy_getinfo(handle, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

// ------------------------------------------------------------------------------------------------------ The multi handle

static inline CURLMcode carillon_multi_set_socket_function(CURLM *multi, curl_socket_callback function, void *data) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, data);
}
static inline CURLMcode carillon_multi_set_timer_function(
    CURLM *multi, curl_multi_timer_callback function, void *data
) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_TIMERDATA, data);
}
/// Connections that are kept open between transfers.
static inline CURLMcode carillon_multi_set_max_connects(CURLM *multi, long count) {
    return curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, count);
}
