import Core
import FoundationEssentials

/// Signatures of webhooks in the form of Standard Webhooks 1.0: `v1,` with HMAC-SHA256, `v1a,` with Ed25519.
package enum WebhookSignature {
    /// A shared secret: `whsec_` and base64 of 24 to 64 bytes.
    package struct SharedSecret: Sendable {
        let key: HMACKey

        /// Nil for another form, or a length outside 24…64 bytes.
        package init?(_ text: String) {
            guard text.hasPrefix("whsec_"), let bytes = Base64.decode(text.dropFirst(6)),
                (24...64).contains(bytes.count)
            else { return nil }
            key = HMACKey(bytes)
        }

        /// The text of a new random secret.
        package static func generate() -> String {
            "whsec_" + Base64.encode(SecureRandom.bytes(32))
        }
    }

    private static func signedBytes(id: String, timestamp: Int, body: [UInt8]) -> [UInt8] {
        Array("\(id).\(timestamp).".utf8) + body
    }

    /// The value of `webhook-signature`: one entry per secret, so that a rotation signs with the old one too.
    package static func sign(id: String, timestamp: Int, body: [UInt8], secrets: [SharedSecret]) -> String {
        let message: [UInt8] = signedBytes(id: id, timestamp: timestamp, body: body)
        return secrets.map { "v1," + Base64.encode($0.key.authenticate(message)) }.joined(separator: " ")
    }

    package static func sign(
        id: String, timestamp: Int, body: [UInt8], key: Ed25519PrivateKey
    ) throws(CryptographyError) -> String {
        "v1a," + Base64.encode(try key.sign(signedBytes(id: id, timestamp: timestamp, body: body)))
    }

    /// Whether any entry of a signature header fits, and the attempt is not older or newer than the tolerance
    /// (seconds).
    package static func isValid(
        _ header: String, id: String, timestamp: Int, body: [UInt8], secrets: [SharedSecret],
        publicKeys: [PublicKey] = [], now: Date, tolerance: Int = 300
    ) throws(CryptographyError) -> Bool {
        let age: Double = now.timeIntervalSince1970 - Double(timestamp)
        guard abs(age) <= Double(tolerance) else { return false }
        let message: [UInt8] = signedBytes(id: id, timestamp: timestamp, body: body)
        for entry in header.split(separator: " ").prefix(16) {
            if entry.hasPrefix("v1,"), let tag = Base64.decode(entry.dropFirst(3)),
                secrets.contains(where: { $0.key.isValid(tag, for: message) })
            {
                return true
            }
            guard entry.hasPrefix("v1a,"), let signature = Base64.decode(entry.dropFirst(4)) else { continue }
            for key in publicKeys where try key.verify(signature, of: message) { return true }
        }
        return false
    }
}
