import Core
import Cryptography
import FoundationEssentials

/// The secrets of a portal that keeps its own database: made at the first start and kept in `var/secrets`, readable by
/// the owner alone. With a database elsewhere they must be given, because several nodes have to agree on them.
package enum SecretFiles {
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// The secret from the environment, or the kept one, or a new one.
    /// - Throws: `Missing` when there is none and none may be made.
    package static func secret(
        _ given: Secret<String>?, variable: String, file: String, configuration: PortalConfiguration
    ) throws -> Secret<String> {
        if let given { return given }
        guard configuration.isEmbedded else {
            throw Missing(
                description:
                    "\(variable) is not set. Make one with “openssl rand -hex 32” and give every node the same.")
        }
        let directory = "\(configuration.varDirectory)/secrets"
        let path = "\(directory)/\(file)"
        if let data = FileManager.default.contents(atPath: path) {
            let kept = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
            if kept.utf8.count >= 32 { return Secret(kept) }
        }
        let made = Hexadecimal.encode(SecureRandom.bytes(32))
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory)
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(made.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Missing(description: "\(path) could not be written.") }
        return Secret(made)
    }
}
