import Core
import Cryptography

/// Cursors of lists: the last row's sort keys, signed, so that nobody can make the server look elsewhere.
/// Each belongs to a realm, such as a workspace, and is none in another.
package struct CursorCodec: Sendable {
    private let key: [UInt8]
    private let earlier: [[UInt8]]

    /// - Parameter earlier: keys that were in force before; their cursors are still read.
    package init(key: [UInt8], earlier: [[UInt8]] = []) {
        self.key = key
        self.earlier = earlier
    }

    package func encode(_ keys: [String], realm: String = "") -> String {
        var payload: [UInt8] = []
        for text in keys {
            withUnsafeBytes(of: UInt16(truncatingIfNeeded: text.utf8.count).bigEndian) { payload += $0 }
            payload += text.utf8
        }
        return Base64URL.encode(Self.tag(of: payload, realm, key) + payload)
    }

    /// Nil for a cursor that this server did not make, or made for another realm.
    package func decode(_ text: String, realm: String = "") -> [String]? {
        guard text.utf8.count <= 4096, let bytes = Base64URL.decode(text), bytes.count >= 12 else { return nil }
        let payload = Array(bytes[12...])
        let tag = Array(bytes[..<12])
        guard ([key] + earlier).contains(where: { ConstantTime.equal(tag, Self.tag(of: payload, realm, $0)) }) else {
            return nil
        }
        var keys: [String] = []
        var rest = payload[...]
        while rest.count >= 2 {
            let count = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            guard rest.count >= count else { return nil }
            keys.append(String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(count)
        }
        return rest.isEmpty ? keys : nil
    }

    private static func tag(of payload: [UInt8], _ realm: String, _ key: [UInt8]) -> [UInt8] {
        let message: [UInt8] = realm.isEmpty ? payload : Array(realm.utf8) + [0] + payload
        return Array(HMAC.sha256(key: key, message: message).prefix(12))
    }
}
