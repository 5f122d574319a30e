import Core
import Cryptography
import FoundationEssentials

/// The addresses in an e-mail that tell us of opens and clicks: made for every message that is sent, checked for every hit.
///
/// Click: `{public}/v1/webhooks/track/click/{message}?l={number}&u={target}&s={tag}`. The target travels in the address and
/// inside the tag, so the address redirects only to where its sender meant it to. The tag is the first half of
/// HMAC-SHA256 over `c1`, the workspace's routing key, the message, the link's number and the target, one a line.
package struct TrackingLinks: Sendable {
    private let signer: SignedToken
    /// Signs the same as `signer`, from bytes where they lie.
    private let tagger: HMACKey
    private let clickBase: [UInt8]
    private let openBase: [UInt8]

    /// - Parameters:
    ///   - publicBase: scheme and host that visitors reach, without a slash at the end.
    ///   - key: the key for tracking links.
    ///   - earlier: keys of earlier secrets, whose links still work.
    package init(publicBase: String, key: HMACKey, earlier: [HMACKey] = []) {
        signer = SignedToken(key: key, earlier: earlier, purpose: "c1")
        tagger = key.prefixed(by: Array("c1\n".utf8))
        clickBase = Array("\(publicBase)/v1/webhooks/track/click/".utf8)
        openBase = Array("\(publicBase)/v1/webhooks/track/open/".utf8)
    }

    /// A link of a template whose target is the same for everybody: encoded once, signed for each message.
    package struct Target: Sendable {
        package let number: Int
        package let url: String
        let plain: [UInt8]
        let afterMessage: [UInt8]

        package init(number: Int, url: String) {
            self.number = number
            self.url = url
            plain = Self.signed(number, url)
            afterMessage = Array("?l=\(number)&u=".utf8) + QueryEscape.encode(url) + Array("&s=".utf8)
        }

        /// What of a link is signed, behind the message.
        static func signed(_ number: Int, _ url: String) -> [UInt8] {
            Array("\n\(number)\n\(url)".utf8)
        }
    }

    /// Appends the click address of a link to a message that is being built. Its ampersands are bare, which HTML allows in
    /// an attribute where no character reference can be read from them (`&u=`, `&s=`), so one form serves HTML and text.
    package func appendClick(of target: Target, in message: MessageIdentity, to output: inout [UInt8]) {
        output.append(contentsOf: clickBase)
        output.append(contentsOf: message.text)
        output.append(contentsOf: target.afterMessage)
        let tag: MACTag = withSigned(message, target) { tagger.tag16($0) }
        withUnsafeBytes(of: tag) { Base64URL.append($0, to: &output) }
    }

    /// Appends the address of the one-pixel image that tells of an open.
    package func appendOpen(of message: MessageIdentity, to output: inout [UInt8]) {
        output.append(contentsOf: openBase)
        output.append(contentsOf: message.text)
    }

    /// Whether the parts of a click's address belong together. Anything that was not signed here is refused.
    package func isValid(message: MessageID, number: Int, url: String, tag: some StringProtocol) -> Bool {
        signer.isValid(tag: tag, for: MessageIdentity(message).signedPrefix + Target.signed(number, url))
    }

    private func withSigned(
        _ message: MessageIdentity, _ target: Target, _ use: (UnsafeRawBufferPointer) -> MACTag
    ) -> MACTag {
        let first: Int = message.signedPrefix.count
        return withUnsafeTemporaryAllocation(byteCount: first + target.plain.count, alignment: 1) { joined in
            joined.copyBytes(from: message.signedPrefix)
            UnsafeMutableRawBufferPointer(rebasing: joined[first...]).copyBytes(from: target.plain)
            return use(UnsafeRawBufferPointer(joined))
        }
    }
}

/// A message's id in the forms that its links need, written once per message.
package struct MessageIdentity: Sendable {
    package let id: MessageID
    /// The canonical 36 characters.
    package let text: [UInt8]
    let signedPrefix: [UInt8]

    package init(_ id: MessageID) {
        self.id = id
        text = Array(id.description.utf8)
        signedPrefix = Array(String(id.routingKey).utf8) + [10] + text
    }
}

/// Percent-encoding of a value in a query (RFC 3986 §3.4), with every reserved character encoded.
enum QueryEscape {
    private static let hexadecimal: [UInt8] = Array("0123456789ABCDEF".utf8)

    static func encode(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count * 5 / 4)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                output.append(byte)
            } else {
                output.append(UInt8(ascii: "%"))
                output.append(hexadecimal[Int(byte >> 4)])
                output.append(hexadecimal[Int(byte & 15)])
            }
        }
        return output
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
