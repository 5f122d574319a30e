// The SHA-2 functions on plain structs are "deprecated" in OpenSSL 3 in favour of allocated contexts. They stay: a struct
// that can be copied is what makes a keyed hash cheap enough to sign every link of every message.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
