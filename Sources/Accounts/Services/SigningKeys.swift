import Cryptography

/// The keys that sign tokens and links, one for each purpose, all derived from one secret (`MARKETING_JWT_SECRET`).
package struct SigningKeys: Sendable {
    private let secret: [UInt8]

    /// - Parameter secret: at least 32 bytes of randomness.
    package init(secret: [UInt8]) {
        self.secret = secret
    }

    /// 32 bytes that belong to one purpose alone: HMAC-SHA256 of its name under the secret.
    package func bytes(for purpose: String) -> [UInt8] {
        HMAC.sha256(key: secret, message: Array("portal key: \(purpose)".utf8))
    }

    package func key(for purpose: String) -> HMACKey {
        HMACKey(bytes(for: purpose))
    }

    /// Signs bearer tokens of the JSON face with the secret itself, so that a host product that shares it can check them.
    package var bearer: JWT.Key? {
        JWT.Key(secret: secret)
    }
}
