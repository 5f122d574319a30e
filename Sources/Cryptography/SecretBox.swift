import Core

/// Encrypts small secrets for the database: senders' passwords, providers' keys, second-factor secrets.
///
/// A record is `version(1) | key id(4) | nonce(12) | ciphertext | tag(16)`. The key id is the first four bytes of the
/// key's
/// SHA-256, so a ring needs no names: seal with the newest key, open with whichever key the record names.
package struct SecretBox: Sendable {
    package enum Flaw: Error, Sendable, Equatable {
        /// A key of the ring does not have 32 bytes.
        case keyLength
        /// The record is too short or of an unknown version.
        case malformed
        /// No key of the ring made this record.
        case unknownKey
        /// Changed bytes, or a record moved to another place than it was sealed for.
        case tampered
        /// OpenSSL failed.
        case failed(CryptographyError)
    }

    private struct Key: Sendable {
        let id: [UInt8]
        let bytes: [UInt8]
    }

    private static let version: UInt8 = 1
    private static let overhead: Int = 1 + 4 + AESGCM.nonceByteCount + AESGCM.tagByteCount
    private let current: Key
    private let keys: [Key]

    /// - Parameters:
    ///   - current: the key that seals, 32 bytes.
    ///   - older: keys that still open, until every record was sealed anew.
    package init(current: [UInt8], older: [[UInt8]] = []) throws(Flaw) {
        guard ([current] + older).allSatisfy({ $0.count == AESGCM.keyByteCount }) else { throw .keyLength }
        let keys: [Key] = ([current] + older).map { Key(id: Array(SHA256.hash($0).prefix(4)), bytes: $0) }
        self.current = keys[0]
        self.keys = keys
    }

    /// - Parameter aad: where the secret belongs (`workspace:…|table:…|column:…|row:…`). It must be the same when
    ///   opened, so
    ///   a record copied to another row or workspace does not open there.
    package func seal(_ secret: [UInt8], aad: String) throws(Flaw) -> [UInt8] {
        let nonce: [UInt8] = SecureRandom.bytes(AESGCM.nonceByteCount)
        do {
            let sealed: [UInt8] = try AESGCM.seal(secret, key: current.bytes, nonce: nonce, aad: Array(aad.utf8))
            return [Self.version] + current.id + nonce + sealed
        } catch {
            throw .failed(error)
        }
    }

    package func seal(_ secret: String, aad: String) throws(Flaw) -> [UInt8] {
        try seal(Array(secret.utf8), aad: aad)
    }

    /// The secret of a record, or why there is none. A wrong tag gives out nothing.
    package func open(_ record: [UInt8], aad: String) throws(Flaw) -> Secret<[UInt8]> {
        guard record.count >= Self.overhead, record[0] == Self.version else { throw .malformed }
        let named: [Key] = keys.filter { $0.id == Array(record[1..<5]) }
        guard !named.isEmpty else { throw .unknownKey }
        let nonce: [UInt8] = Array(record[5..<17])
        let sealed: [UInt8] = Array(record[17...])
        for key in named {
            do {
                let opened: [UInt8]? = try AESGCM.open(sealed, key: key.bytes, nonce: nonce, aad: Array(aad.utf8))
                if let opened { return Secret(opened) }
            } catch {
                throw .failed(error)
            }
        }
        throw .tampered
    }

    /// ``open(_:aad:)`` for a secret that was sealed as text.
    package func openText(_ record: [UInt8], aad: String) throws(Flaw) -> Secret<String> {
        let bytes: [UInt8] = try open(record, aad: aad).reveal()
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
        return Secret(text)
    }

    /// Whether a record was sealed with an older key and should be sealed anew.
    package func needsResealing(_ record: [UInt8]) -> Bool {
        record.count < Self.overhead || record[0] != Self.version || Array(record[1..<5]) != current.id
    }
}
