import Core

/// Tokens that carry their own data and a tag: links to open, click and unsubscribe that must work for years without
/// a row.
///
/// `base64url(payload ‖ first 16 bytes of HMAC-SHA256(key, purpose ‖ "\n" ‖ payload))`. The purpose keeps a token
/// made for
/// one use from working in another. The payload can be read by anyone; it is signed, not hidden.
package struct SignedToken: Sendable {
    private let key: HMACKey
    /// Keys of earlier secrets: they sign nothing any more, but what they signed still holds.
    private let earlier: [HMACKey]
    /// Longer tokens are refused unread.
    package static let maximumLength = 8192

    /// - Parameters:
    ///   - key: signs and checks.
    ///   - earlier: only check.
    ///   - purpose: a short word with a version, such as `c1`; it must not hold a line break.
    package init(key: HMACKey, earlier: [HMACKey] = [], purpose: String) {
        let prefix: [UInt8] = Array(purpose.utf8) + [10]
        self.key = key.prefixed(by: prefix)
        self.earlier = earlier.map { $0.prefixed(by: prefix) }
    }

    /// The tag alone, for a payload that travels by another way (a query with the target URL in it).
    package func tag(for payload: [UInt8]) -> MACTag {
        key.tag16(payload)
    }

    /// Whether a tag in base64url text belongs to a payload.
    package func isValid(tag text: some StringProtocol, for payload: [UInt8]) -> Bool {
        guard let bytes = Base64URL.decode(text), bytes.count == MACTag.byteCount else { return false }
        return isSigned(payload, bytes)
    }

    package func token(for payload: [UInt8]) -> String {
        var text: [UInt8] = []
        append(payload, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the token's characters to a message that is being built, without a String or an array in between.
    package func append(_ payload: [UInt8], to output: inout [UInt8]) {
        payload.withUnsafeBytes { append($0, to: &output) }
    }

    package func append(_ payload: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        let tag: MACTag = key.tag16(payload)
        let count: Int = payload.count
        withUnsafeTemporaryAllocation(byteCount: count + MACTag.byteCount, alignment: 8) { joined in
            joined.copyMemory(from: payload)
            joined.storeBytes(of: tag.high, toByteOffset: count, as: UInt64.self)
            joined.storeBytes(of: tag.low, toByteOffset: count + 8, as: UInt64.self)
            Base64URL.append(UnsafeRawBufferPointer(joined), to: &output)
        }
    }

    /// The payload of a token that this key made for this purpose; nil for any other text.
    package func open(_ token: some StringProtocol) -> [UInt8]? {
        guard token.utf8.count <= Self.maximumLength, let bytes = Base64URL.decode(token),
            bytes.count >= MACTag.byteCount
        else { return nil }
        let payload: [UInt8] = Array(bytes.dropLast(MACTag.byteCount))
        let given: [UInt8] = Array(bytes.suffix(MACTag.byteCount))
        return isSigned(payload, given) ? payload : nil
    }

    private func isSigned(_ payload: [UInt8], _ tag: [UInt8]) -> Bool {
        ConstantTime.equal(tag, key.tag16(payload).bytes)
            || earlier.contains { ConstantTime.equal(tag, $0.tag16(payload).bytes) }
    }
}
