import Core

/// How to connect and with which limits.
package struct ConnectionSettings: Sendable {
    /// A URL (`postgres://…`) or a keyword list, as libpq reads them. It may hold a password.
    package let address: Secret<String>
    /// Shown in `pg_stat_activity`.
    package var applicationName: String = "portal"
    /// A statement that runs longer is cancelled by the server.
    package var statementTimeout: Duration = .seconds(5)
    /// Waiting longer for a lock fails with 55P03.
    package var lockTimeout: Duration = .seconds(3)
    /// A transaction that sits idle for longer is ended by the server.
    package var idleInTransactionTimeout: Duration = .seconds(60)
    package var connectTimeout: Duration = .seconds(5)
    /// The role to take on after connecting, when it exists and the login may: it owns nothing and cannot pass the
    /// workspace wall. Nil keeps the login's own rights, for migrations.
    package var role: String? = ConnectionSettings.applicationRole
    /// Statements kept prepared per connection.
    package var preparedStatements: Int = 256

    package static let applicationRole: String = "marketing_app"

    package init(address: String, applicationName: String = "portal") {
        self.address = Secret(address)
        self.applicationName = applicationName
    }

    /// The limits of long-running work: imports, sending, reports.
    package static func worker(address: String, applicationName: String = "portal-worker") -> ConnectionSettings {
        var settings = ConnectionSettings(address: address, applicationName: applicationName)
        settings.statementTimeout = .seconds(60)
        settings.lockTimeout = .seconds(30)
        settings.idleInTransactionTimeout = .seconds(300)
        return settings
    }

    /// The login's own rights and no limits: for migrations alone.
    package static func owner(address: String) -> ConnectionSettings {
        var settings = ConnectionSettings(address: address, applicationName: "portal-migrate")
        settings.statementTimeout = .seconds(3600)
        settings.lockTimeout = .seconds(60)
        settings.role = nil
        return settings
    }

    /// Sent once after connecting. The limits go this way and not as start-up options, which poolers refuse.
    var greeting: String {
        var statements: [String] = [
            "SET statement_timeout = \(statementTimeout.milliseconds)",
            "SET lock_timeout = \(lockTimeout.milliseconds)",
            "SET idle_in_transaction_session_timeout = \(idleInTransactionTimeout.milliseconds)",
            "SET client_min_messages = warning",
            "SET TIME ZONE 'UTC'",
        ]
        if let role,
            role.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        {
            statements.append(
                """
                SELECT set_config('role', rolname, false) FROM pg_roles \
                WHERE rolname = '\(role)' AND pg_has_role(session_user, oid, 'MEMBER')
                """)
        }
        return statements.joined(separator: "; ")
    }
}
