import COpenSSL

/// HMAC-SHA256 (RFC 2104) for a message signed once. Use ``HMACKey`` where one key signs many messages.
package enum HMAC {
    package static func sha256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        HMACKey(key).authenticate(message)
    }
}

/// A key for HMAC-SHA256 whose two pads are hashed once, so that a tag costs two or three SHA-256 blocks and no
/// allocation.
///
/// A value: copies are independent and may be used on any thread.
package struct HMACKey: Sendable {
    private let inner: SHA256State
    private let outer: SHA256State

    /// - Parameter key: any length; 32 random bytes are right. Longer than a block (64 bytes) is hashed first, as the
    ///   RFC says.
    package init(_ key: [UInt8]) {
        var block: [UInt8] = key.count > 64 ? SHA256.hash(key) : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        var inner = SHA256State()
        var outer = SHA256State()
        inner.update(block.map { $0 ^ 0x36 })
        outer.update(block.map { $0 ^ 0x5C })
        self.inner = inner
        self.outer = outer
    }

    private init(inner: SHA256State, outer: SHA256State) {
        self.inner = inner
        self.outer = outer
    }

    /// A key that signs `prefix` followed by the message: the prefix is absorbed once.
    package func prefixed(by prefix: [UInt8]) -> HMACKey {
        var inner = inner
        inner.update(prefix)
        return HMACKey(inner: inner, outer: outer)
    }

    /// The whole tag, 32 bytes.
    package func authenticate(_ message: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { bytes in
            withDigest(of: bytes) { digest in Array(digest) }
        }
    }

    /// The first 16 bytes of the tag: 128 bits are enough for a token that is checked here and can only be guessed
    /// online.
    package func tag16(_ message: UnsafeRawBufferPointer) -> MACTag {
        withDigest(of: message) { digest in
            MACTag(
                high: digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                low: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    package func tag16(_ message: [UInt8]) -> MACTag {
        message.withUnsafeBytes { tag16($0) }
    }

    /// Compares a whole tag in constant time.
    package func isValid(_ tag: [UInt8], for message: [UInt8]) -> Bool {
        ConstantTime.equal(authenticate(message), tag)
    }

    private func withDigest<Result>(
        of message: UnsafeRawBufferPointer, _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { digest in
            let bytes: UnsafeMutablePointer<UInt8>? = digest.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var first: SHA256State = inner
            var second: SHA256State = outer
            first.update(message)
            if let bytes { first.finish(into: bytes) }
            second.update(UnsafeRawBufferPointer(digest))
            if let bytes { second.finish(into: bytes) }
            return use(UnsafeRawBufferPointer(digest))
        }
    }
}

/// Sixteen bytes of a tag, compared in constant time.
package struct MACTag: Sendable, Equatable {
    /// The bytes in the order of memory.
    let high: UInt64
    let low: UInt64

    package static let byteCount = 16

    package var bytes: [UInt8] {
        withUnsafeBytes(of: (high, low)) { Array($0) }
    }

    package static func == (left: MACTag, right: MACTag) -> Bool {
        (left.high ^ right.high) | (left.low ^ right.low) == 0
    }
}
