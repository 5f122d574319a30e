#include <libpq-fe.h>
#include <sys/eventfd.h> /* what wakes a thread that waits for the server */
