// TLS for servers of tests: the product itself speaks TLS through libcurl only.
#include <openssl/ssl.h>
