import Core
import Cryptography
import FoundationEssentials
import Postgres
import Web

/// Slows down guessing: after five failures for an account, or twenty from an address, each try waits longer, up to a
/// minute. Nobody is locked out for good, so nobody can lock somebody else out. Kept in the database, so it survives a
/// restart and holds for all nodes.
struct LoginThrottle: Sendable {
    let database: Database
    let clock: WallClock

    /// What an account is allowed: five failures, forgotten after an hour without another.
    static let policy = RateLimitPolicy(name: "sign-in", quota: 5, window: 3600)

    /// How long to wait after so many failures, in seconds.
    static func delay(failures: Int, allowed: Int) -> Int {
        failures < allowed ? 0 : min(60, 1 << min(6, failures - allowed))
    }

    private enum Subject {
        case account(String)
        case address(String)
        /// Who comes with a wrong service key.
        case serviceKey(String)

        var key: [UInt8] {
            switch self {
            case .serviceKey(let address): SHA256.hash("service key\n\(Self.network(of: address))")
            case .account(let email): SHA256.hash("account\n\(email)")
            case .address(let address): SHA256.hash("address\n\(Self.network(of: address))")
            }
        }

        var allowedFailures: Int {
            switch self {
            case .account: LoginThrottle.policy.quota
            case .address, .serviceKey: 20
            }
        }

        /// /24 of IPv4, /64 of IPv6: one household, not one device.
        private static func network(of address: String) -> String {
            let separator: Character = address.contains(":") ? ":" : "."
            let kept = separator == ":" ? 4 : 3
            return address.split(separator: separator, omittingEmptySubsequences: false).prefix(kept)
                .joined(separator: String(separator))
        }
    }

    /// The key under which an account's failures are counted.
    static func accountKey(_ email: String) -> [UInt8] { Subject.account(email).key }

    /// Seconds until the next try is allowed; 0 when it is now.
    func wait(email: String, address: String) async throws -> Int {
        try await wait([.account(email), .address(address)])
    }

    /// The same for an address that comes with service keys.
    func wait(serviceAddress address: String) async throws -> Int {
        try await wait([.serviceKey(address)])
    }

    private func wait(_ subjects: [Subject]) async throws -> Int {
        let keys = subjects.map(\.key)
        let now = clock.now
        let until = try await database.session { session in
            try await session.value(
                Date?.self, "accounts.throttle.wait",
                """
                SELECT max(blocked_until) FROM marketing_login_failures
                WHERE key = ANY (\(keys)) AND blocked_until > \(now)
                """)
        }
        return until.map { max(1, Int($0.timeIntervalSince(now).rounded(.up))) } ?? 0
    }

    func recordFailure(email: String, address: String) async throws {
        for subject in [Subject.account(email), .address(address)] { try await recordFailure(subject) }
    }

    func recordFailure(serviceAddress address: String) async throws {
        try await recordFailure(.serviceKey(address))
    }

    private func recordFailure(_ subject: Subject) async throws {
        let now = clock.now
        let forgottenBefore = now.addingTimeInterval(-3600)
        let allowed = subject.allowedFailures
        _ = try await database.session { session in
            let failures = try await session.value(
                Int.self, "accounts.throttle.count",
                """
                INSERT INTO marketing_login_failures AS f (key, failures, blocked_until, updated_at)
                VALUES (\(subject.key), 1, \(now), \(now))
                ON CONFLICT (key) DO UPDATE SET updated_at = \(now),
                    failures = CASE WHEN f.updated_at < \(forgottenBefore) THEN 1 ELSE f.failures + 1 END
                RETURNING failures::bigint
                """)
            let delay = Self.delay(failures: failures, allowed: allowed)
            guard delay > 0 else { return 0 }
            return try await session.run(
                "accounts.throttle.block",
                """
                UPDATE marketing_login_failures SET blocked_until = \(now.addingTimeInterval(Double(delay)))
                WHERE key = \(subject.key)
                """)
        }
    }

    func clear(email: String) async throws {
        let key = Subject.account(email).key
        _ = try await database.session { session in
            try await session.run("accounts.throttle.clear", "DELETE FROM marketing_login_failures WHERE key = \(key)")
        }
    }

    func sweep() async throws {
        let before = clock.now.addingTimeInterval(-86_400)
        _ = try await database.session { session in
            try await session.run(
                "accounts.throttle.sweep", "DELETE FROM marketing_login_failures WHERE updated_at < \(before)")
        }
    }
}

/// Slows down guessing of service keys: after twenty wrong ones from an address each try waits longer, up to a minute.
package struct KeyThrottle: Sendable {
    private let throttle: LoginThrottle

    package init(_ services: AppServices) {
        throttle = LoginThrottle(database: services.database, clock: services.clock)
    }

    /// Seconds until the next try is allowed; 0 when it is now.
    package func wait(address: String) async throws -> Int {
        try await throttle.wait(serviceAddress: address)
    }

    package func recordFailure(address: String) async throws {
        try await throttle.recordFailure(serviceAddress: address)
    }
}
