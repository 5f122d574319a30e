import Cryptography

/// The keys that sign tokens and links, one for each purpose, all derived from one secret (`MARKETING_JWT_SECRET`).
/// Secrets that were in force earlier (`MARKETING_JWT_EARLIER_SECRETS`) sign nothing; what they signed still holds.
package struct SigningKeys: Sendable {
    private let secret: [UInt8]
    private let earlier: [[UInt8]]

    /// - Parameters:
    ///   - secret: at least 32 bytes of randomness.
    ///   - earlier: secrets that were in force before.
    package init(secret: [UInt8], earlier: [[UInt8]] = []) {
        self.secret = secret
        self.earlier = earlier.filter { $0 != secret }
    }

    /// 32 bytes that belong to one purpose alone: HMAC-SHA256 of its name under the secret.
    package func bytes(for purpose: String) -> [UInt8] {
        Self.derive(purpose, from: secret)
    }

    /// The same from each earlier secret.
    package func earlierBytes(for purpose: String) -> [[UInt8]] {
        earlier.map { Self.derive(purpose, from: $0) }
    }

    package func key(for purpose: String) -> HMACKey {
        HMACKey(bytes(for: purpose))
    }

    package func earlierKeys(for purpose: String) -> [HMACKey] {
        earlierBytes(for: purpose).map { HMACKey($0) }
    }

    /// Signs bearer tokens of the JSON face with the secret itself, so that a host product that shares it can check them.
    package var bearer: JWT.Key? {
        JWT.Key(secret: secret)
    }

    /// All keys that a bearer token may be signed with, the one in force first.
    package var bearers: [JWT.Key] {
        ([secret] + earlier).compactMap { JWT.Key(secret: $0) }
    }

    private static func derive(_ purpose: String, from secret: [UInt8]) -> [UInt8] {
        HMAC.sha256(key: secret, message: Array("portal key: \(purpose)".utf8))
    }
}
