import COpenSSL
import Core

/// A public key that checks signatures: Ed25519, ECDSA P-256 (and its kin), RSA with PKCS #1 v1.5.
///
/// The key decides the algorithm; nothing in a message can choose another one.
package final class PublicKey: @unchecked Sendable {
    /// The digest of RSA and ECDSA signatures. Ed25519 has its own.
    package enum Digest: Sendable {
        case sha256
        /// Only where a provider's protocol leaves no choice.
        case sha1
    }

    // Never changed after init; OpenSSL allows concurrent verification with one key and separate contexts.
    private let key: OpaquePointer

    private init(owning key: OpaquePointer) {
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// An Ed25519 key from its 32 raw bytes.
    package convenience init(ed25519 bytes: [UInt8]) throws(CryptographyError) {
        guard bytes.count == 32 else {
            throw CryptographyError(operation: "Ed25519 public key of a wrong length", reasons: [])
        }
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
            throw .drained("Ed25519 public key")
        }
        self.init(owning: key)
    }

    /// A key from its DER SubjectPublicKeyInfo, as providers print it in base64.
    package convenience init(der bytes: [UInt8]) throws(CryptographyError) {
        let key: OpaquePointer? = bytes.withUnsafeBufferPointer { buffer in
            var cursor: UnsafePointer<UInt8>? = buffer.baseAddress
            return d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let key else { throw .drained("public key in DER") }
        self.init(owning: key)
    }

    /// A key from PEM (`BEGIN PUBLIC KEY`).
    package convenience init(pem: String) throws(CryptographyError) {
        let key: OpaquePointer? = try withMemoryFile(pem) { PEM_read_bio_PUBKEY($0, nil, nil, nil) }
        guard let key else { throw .drained("public key in PEM") }
        self.init(owning: key)
    }

    /// The key inside an X.509 certificate in PEM. The certificate itself is not judged.
    package convenience init(certificatePEM pem: String) throws(CryptographyError) {
        let key: OpaquePointer? = try withMemoryFile(pem) { file -> OpaquePointer? in
            guard let certificate = PEM_read_bio_X509(file, nil, nil, nil) else { return nil }
            defer { X509_free(certificate) }
            return X509_get_pubkey(certificate)
        }
        guard let key else { throw .drained("certificate in PEM") }
        self.init(owning: key)
    }

    /// Whether a signature of this key stands under a message. ECDSA signatures are in DER form.
    package func verify(
        _ signature: [UInt8], of message: [UInt8], digest: Digest = .sha256
    ) throws(CryptographyError) -> Bool {
        guard let context = EVP_MD_CTX_new() else { throw .drained("verification context") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, method(digest), nil, key) == 1 else {
            throw .drained("verification set-up")
        }
        let answer: Int32 = EVP_DigestVerify(context, signature, signature.count, message, message.count)
        if answer != 1 { CryptographyError.discardReasons() }
        return answer == 1
    }

    private func method(_ digest: Digest) -> OpaquePointer? {
        if EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 { return nil }
        return digest == .sha1 ? EVP_sha1() : EVP_sha256()
    }
}

/// An Ed25519 key that signs (outgoing webhooks).
package final class Ed25519PrivateKey: @unchecked Sendable {
    // Never changed after init.
    private let key: OpaquePointer

    /// - Parameter seed: 32 random bytes.
    package init(seed: [UInt8]) throws(CryptographyError) {
        guard seed.count == 32 else {
            throw CryptographyError(operation: "Ed25519 seed of a wrong length", reasons: [])
        }
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw .drained("Ed25519 private key")
        }
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// The 32 raw bytes of the public half.
    package func publicKeyBytes() throws(CryptographyError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count: Int = bytes.count
        guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == 32 else {
            throw .drained("Ed25519 public half")
        }
        return bytes
    }

    /// The 64 bytes of a signature.
    package func sign(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .drained("signing context") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { throw .drained("signing set-up") }
        var signature = [UInt8](repeating: 0, count: 64)
        var count: Int = signature.count
        guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == 64 else {
            throw .drained("signing")
        }
        return signature
    }
}

/// Lends OpenSSL a text to read from, and frees the reader on every path.
private func withMemoryFile(
    _ text: String, _ read: (OpaquePointer) -> OpaquePointer?
) throws(CryptographyError) -> OpaquePointer? {
    let bytes: [UInt8] = Array(text.utf8)
    guard let file = BIO_new(BIO_s_mem()) else { throw .drained("reader in memory") }
    defer { BIO_free(file) }
    let count = Int32(clamping: bytes.count)
    guard BIO_write(file, bytes, count) == count else { throw .drained("reader in memory") }
    return read(file)
}
