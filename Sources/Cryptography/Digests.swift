import COpenSSL

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    package static let byteCount = 32

    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var state = SHA256State()
        bytes.withUnsafeBytes { state.update($0) }
        return state.finish()
    }

    /// The hash of a text's UTF-8 bytes.
    package static func hash(_ text: String) -> [UInt8] {
        hash(Array(text.utf8))
    }
}

/// SHA-256 over bytes that arrive in pieces, such as a file. A copy continues on its own.
package struct SHA256State: Sendable {
    private var context: SHA256_CTX

    package init() {
        context = SHA256_CTX()
        SHA256_Init(&context)
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        SHA256_Update(&context, base, bytes.count)
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The 32 bytes of the hash. The state is spent afterwards.
    package mutating func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
            if let base = buffer.baseAddress { finish(into: base) }
            count = SHA256.byteCount
        }
    }

    /// Writes the 32 bytes of the hash to memory that holds at least so many.
    mutating func finish(into output: UnsafeMutablePointer<UInt8>) {
        SHA256_Final(output, &context)
    }
}

/// SHA-512 (FIPS 180-4).
package enum SHA512 {
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var context = SHA512_CTX()
        SHA512_Init(&context)
        if !bytes.isEmpty { SHA512_Update(&context, bytes, bytes.count) }
        return [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            SHA512_Final(buffer.baseAddress, &context)
            count = 64
        }
    }
}

/// SHA-1 (FIPS 180-4), only where a provider's protocol names it: it protects nothing by itself.
package enum SHA1 {
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var context = SHA_CTX()
        SHA1_Init(&context)
        if !bytes.isEmpty { SHA1_Update(&context, bytes, bytes.count) }
        return [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
            SHA1_Final(buffer.baseAddress, &context)
            count = 20
        }
    }
}
