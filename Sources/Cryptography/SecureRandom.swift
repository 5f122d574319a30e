import COpenSSL
import Core

/// Random bytes for keys, tokens and nonces, from OpenSSL's generator.
package enum SecureRandom {
    /// Should OpenSSL's generator fail, the system's own is asked (Swift's, which reads the kernel's and never
    /// returns less).
    package static func bytes(_ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        if count <= Int(Int32.max), RAND_bytes(&bytes, Int32(count)) == 1 { return bytes }
        CryptographyError.discardReasons()
        var generator = SystemRandomNumberGenerator()
        for index in bytes.indices { bytes[index] = generator.next() }
        return bytes
    }

    /// A secret that travels in a URL or a cookie: base64url without padding, 43 characters for 32 bytes.
    package static func token(bytes count: Int = 32) -> String {
        Base64URL.encode(bytes(count))
    }
}
