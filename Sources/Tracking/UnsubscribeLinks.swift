import Core
import Cryptography
import FoundationEssentials

/// The link that ends all mail to a person: `{public}/v1/public/unsubscribe?token=…`.
///
/// The token names workspace, contact and message, signed and never expiring: it must work for as long as somebody keeps
/// the e-mail. It asks for no row of its own.
package struct UnsubscribeLinks: Sendable {
    /// What a genuine token says.
    package struct Claim: Sendable, Equatable {
        package let workspace: WorkspaceID
        package let contact: ContactID
        /// The message whose link was used.
        package let message: MessageID

        package init(workspace: WorkspaceID, contact: ContactID, message: MessageID) {
            self.workspace = workspace
            self.contact = contact
            self.message = message
        }
    }

    private let signer: SignedToken
    private let base: [UInt8]

    /// - Parameters:
    ///   - publicBase: scheme and host that visitors reach, without a slash at the end.
    ///   - key: the key for unsubscribe links.
    ///   - earlier: keys of earlier secrets, whose links still work.
    package init(publicBase: String, key: HMACKey, earlier: [HMACKey] = []) {
        signer = SignedToken(key: key, earlier: earlier, purpose: "u1")
        base = Array("\(publicBase)/v1/public/unsubscribe?token=".utf8)
    }

    package func append(_ claim: Claim, to output: inout [UInt8]) {
        output.append(contentsOf: base)
        appendToken(claim, to: &output)
    }

    package func url(_ claim: Claim) -> String {
        var output: [UInt8] = []
        append(claim, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    package func token(_ claim: Claim) -> String {
        var output: [UInt8] = []
        appendToken(claim, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Nil for anything but a token made by ``token(_:)`` with one of the keys.
    package func open(_ token: some StringProtocol) -> Claim? {
        guard token.utf8.count <= 128, let payload = signer.open(token), payload.count == 48 else { return nil }
        return payload.withUnsafeBytes { bytes in
            Claim(
                workspace: WorkspaceID(UUID(uuid: bytes.loadUnaligned(fromByteOffset: 0, as: uuid_t.self))),
                contact: ContactID(UUID(uuid: bytes.loadUnaligned(fromByteOffset: 16, as: uuid_t.self))),
                message: MessageID(UUID(uuid: bytes.loadUnaligned(fromByteOffset: 32, as: uuid_t.self))))
        }
    }

    private func appendToken(_ claim: Claim, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: 48, alignment: 8) { payload in
            payload.storeBytes(of: claim.workspace.uuid.uuid, toByteOffset: 0, as: uuid_t.self)
            payload.storeBytes(of: claim.contact.uuid.uuid, toByteOffset: 16, as: uuid_t.self)
            payload.storeBytes(of: claim.message.uuid.uuid, toByteOffset: 32, as: uuid_t.self)
            signer.append(UnsafeRawBufferPointer(payload), to: &output)
        }
    }
}
