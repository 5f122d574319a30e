import Accounts
import Core
import FoundationEssentials
import Postgres

/// Looks at what usually goes wrong in an installation.
package struct PortalDoctor: Sendable {
    package struct Finding: Sendable {
        package let subject: String
        package let isFine: Bool
        package let message: String
    }

    private let runtime: PortalRuntime

    package init(runtime: PortalRuntime) {
        self.runtime = runtime
    }

    package func examine() async -> [Finding] {
        var findings = [configuration, secrets, publicAddress, sender]
        findings.append(await databaseVersion())
        findings.append(await wall())
        findings.append(await seals())
        findings.append(await erasures())
        findings.append(await auditLogs())
        findings.append(spool())
        return findings
    }

    private var configuration: Finding {
        let kind =
            runtime.configuration.isEmbedded
            ? "a private database under \(runtime.configuration.varDirectory)" : "the given database"
        return Finding(subject: "Settings", isFine: true, message: "read; using \(kind)")
    }

    private var secrets: Finding {
        let given = !runtime.configuration.encryptionKeys.isEmpty
        return Finding(
            subject: "Keys", isFine: true,
            message: given
                ? "secrets at rest have a key of their own"
                : "secrets at rest use a key derived from MARKETING_JWT_SECRET")
    }

    private func seals() async -> Finding {
        let subject = "Sealed passwords"
        do {
            let count = try await runtime.assembly.messaging.seals.outdated()
            return Finding(
                subject: subject, isFine: true,
                message: count == 0
                    ? "all with the key in force; older keys can go"
                    : "\(count) still with an older key; a running portal seals them anew within the hour")
        } catch {
            return Finding(subject: subject, isFine: false, message: "could not be read: \(error)")
        }
    }

    private func erasures() async -> Finding {
        await finding("Erasures") {
            let missing: Int = try await runtime.assembly.contacts.erasuresMissing()
            return Finding(
                subject: "Erasures", isFine: missing == 0,
                message: missing == 0
                    ? "the database knows all of the journal"
                    : "\(missing) of the journal are not in this database; they are done again when the portal starts")
        }
    }

    private func auditLogs() async -> Finding {
        await finding("Audit logs") {
            let checks: [AuditCheck] = try await runtime.assembly.accounts.auditChain.lastChecks()
            let broken: Int = checks.filter(\.isBroken).count
            if broken > 0 {
                let message = "\(broken) changed from outside; the log’s page, under Settings, says what was found"
                return Finding(subject: "Audit logs", isFine: false, message: message)
            }
            let message = checks.isEmpty ? "not verified yet; that happens every night" : "intact when last verified"
            return Finding(subject: "Audit logs", isFine: true, message: message)
        }
    }

    private var publicAddress: Finding {
        let url = runtime.configuration.publicURL
        let local = url.contains("//localhost") || url.contains("//127.")
        return Finding(
            subject: "Public address", isFine: !local,
            message: local
                ? "\(url) works on this machine only; set MARKETING_API_PUBLIC_URL before mailing anybody" : url)
    }

    private var sender: Finding {
        let isSet = runtime.configuration.systemSMTP != nil
        return Finding(
            subject: "System sender", isFine: isSet,
            message: isSet
                ? "set"
                : "none; password letters are kept under \(runtime.configuration.varDirectory)/mail. Set MARKETING_SMTP_URL"
        )
    }

    private func databaseVersion() async -> Finding {
        await finding("PostgreSQL") {
            let version = try await runtime.services.database.session { session in
                try await session.value(
                    Int.self, "doctor.version", "SELECT current_setting('server_version_num')::bigint")
            }
            return Finding(
                subject: "PostgreSQL", isFine: version >= 150_000,
                message:
                    "version \(version / 10_000).\(version % 10_000)\(version < 150_000 ? "; 15 or newer is needed" : "")"
            )
        }
    }

    /// The second wall between workspaces only stands when the role that queries cannot walk around it.
    private func wall() async -> Finding {
        await finding("Workspace wall") {
            let bypasses = try await runtime.services.database.session { session in
                try await session.value(
                    Bool.self, "doctor.wall",
                    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            }
            return Finding(
                subject: "Workspace wall", isFine: !bypasses,
                message: bypasses
                    ? "the database role may bypass row-level security; give the login CREATEROLE once, or use another"
                    : "stands")
        }
    }

    private func spool() -> Finding {
        let directory = runtime.configuration.varDirectory
        let writable = FileManager.default.isWritableFile(atPath: directory)
        return Finding(
            subject: "Var directory", isFine: writable, message: writable ? directory : "\(directory) is not writable")
    }

    private func finding(_ subject: String, _ body: () async throws -> Finding) async -> Finding {
        do {
            return try await body()
        } catch {
            return Finding(subject: subject, isFine: false, message: "\(error)")
        }
    }
}
