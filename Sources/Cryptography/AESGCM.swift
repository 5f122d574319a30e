import COpenSSL

/// AES-256 in Galois/counter mode (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag.
package enum AESGCM {
    package static let keyByteCount = 32
    package static let nonceByteCount = 12
    package static let tagByteCount = 16

    /// Encrypts and appends the tag.
    /// - Parameters:
    ///   - nonce: 12 bytes that this key never sees again; take them from ``SecureRandom``.
    ///   - aad: data that is not encrypted but must be the same when opened.
    package static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], aad: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        try checkLengths(key: key, nonce: nonce, data: plaintext.count, aad: aad.count)
        let context = try CipherContext()
        guard EVP_EncryptInit_ex(context.raw, EVP_aes_256_gcm(), nil, key, nonce) == 1 else {
            throw .drained("AES-GCM set-up")
        }
        var length: Int32 = 0
        if !aad.isEmpty, EVP_EncryptUpdate(context.raw, nil, &length, aad, Int32(aad.count)) != 1 {
            throw .drained("AES-GCM additional data")
        }
        var output = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        if !plaintext.isEmpty,
            EVP_EncryptUpdate(context.raw, &output, &length, plaintext, Int32(plaintext.count)) != 1
        {
            throw .drained("AES-GCM encryption")
        }
        var rest = [UInt8](repeating: 0, count: 16)
        guard EVP_EncryptFinal_ex(context.raw, &rest, &length) == 1 else { throw .drained("AES-GCM end") }
        var tag = [UInt8](repeating: 0, count: tagByteCount)
        guard EVP_CIPHER_CTX_ctrl(context.raw, EVP_CTRL_AEAD_GET_TAG, Int32(tagByteCount), &tag) == 1 else {
            throw .drained("AES-GCM tag")
        }
        output.replaceSubrange(plaintext.count..., with: tag)
        return output
    }

    /// Nil when the tag does not fit: another key, nonce or additional data, or changed bytes. Nothing of the text is
    /// given out.
    package static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], aad: [UInt8]
    ) throws(CryptographyError) -> [UInt8]? {
        guard sealed.count >= tagByteCount else { return nil }
        let count: Int = sealed.count - tagByteCount
        try checkLengths(key: key, nonce: nonce, data: count, aad: aad.count)
        let context = try CipherContext()
        guard EVP_DecryptInit_ex(context.raw, EVP_aes_256_gcm(), nil, key, nonce) == 1 else {
            throw .drained("AES-GCM set-up")
        }
        var length: Int32 = 0
        if !aad.isEmpty, EVP_DecryptUpdate(context.raw, nil, &length, aad, Int32(aad.count)) != 1 {
            throw .drained("AES-GCM additional data")
        }
        var output = [UInt8](repeating: 0, count: count)
        if count > 0, EVP_DecryptUpdate(context.raw, &output, &length, sealed, Int32(count)) != 1 {
            throw .drained("AES-GCM decryption")
        }
        var tag: [UInt8] = Array(sealed.suffix(tagByteCount))
        guard EVP_CIPHER_CTX_ctrl(context.raw, EVP_CTRL_AEAD_SET_TAG, Int32(tagByteCount), &tag) == 1 else {
            throw .drained("AES-GCM tag")
        }
        var rest = [UInt8](repeating: 0, count: 16)
        guard EVP_DecryptFinal_ex(context.raw, &rest, &length) == 1 else {
            CryptographyError.discardReasons()
            return nil
        }
        return output
    }

    private static func checkLengths(key: [UInt8], nonce: [UInt8], data: Int, aad: Int) throws(CryptographyError) {
        guard key.count == keyByteCount, nonce.count == nonceByteCount, data <= Int(Int32.max), aad <= Int(Int32.max)
        else { throw CryptographyError(operation: "AES-GCM key, nonce or data of a wrong length", reasons: []) }
    }
}

/// Owns one OpenSSL cipher context and frees it on every path.
private struct CipherContext: ~Copyable {
    let raw: OpaquePointer

    init() throws(CryptographyError) {
        guard let raw = EVP_CIPHER_CTX_new() else { throw .drained("AES-GCM context") }
        self.raw = raw
    }

    deinit {
        EVP_CIPHER_CTX_free(raw)
    }
}
