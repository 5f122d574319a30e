import Core
import Cryptography
import FoundationEssentials
import Jobs
import Postgres
import Web

/// Tells the audit logs of a person's workspaces that somebody tried to sign in as them.
struct FailedSignInJob: Job {
    static let kind = "accounts.signIn.failed"
    static let lane: JobLane = .maintenance
    /// The key under which the tries are counted, in hexadecimal; it says no address.
    let account: String
    /// The network that the first of them came from.
    let network: String?
    let requestID: String?
}

/// Failed tries to sign in go into the audit log by a job, ten minutes' worth in one entry.
///
/// The request does the same for every address, whether it has an account or not: whose it is, the job finds out later, so
/// that nobody learns it from the time an answer takes. An account gets at most six entries an hour in each workspace.
struct FailedSignIns: Sendable {
    let services: AppServices

    /// Seconds whose tries share an entry.
    static let window: Double = 600

    /// - Parameter email: the key of the address that was typed.
    func note(email: String) async throws {
        let account: String = Hexadecimal.encode(LoginThrottle.accountKey(email))
        let trace: RequestTrace? = RequestTrace.current
        let place: Double = (services.clock.now.timeIntervalSince1970 / Self.window).rounded(.down)
        let job = FailedSignInJob(account: account, network: trace?.network, requestID: trace?.id)
        _ = try await services.database.session { session in
            try await services.jobs.enqueue(
                job, workspace: nil, key: "\(account):\(Int(place))",
                at: Date(timeIntervalSince1970: (place + 1) * Self.window), in: session)
        }
    }

    func write(_ job: FailedSignInJob) async throws {
        guard let key = Hexadecimal.decode(job.account) else { return }
        let (tries, places) = try await services.workerDatabase.session { session in
            let tries: Int? = try await session.value(
                Int?.self, "accounts.signIn.tries",
                "SELECT failures::bigint FROM marketing_login_failures WHERE key = \(key)")
            let places: [(WorkspaceID, String)] = try await session.rows(
                as: (WorkspaceID, String).self, "accounts.signIn.places",
                """
                SELECT m.workspace_id, u.name FROM marketing_users u JOIN marketing_memberships m ON m.user_id = u.id
                WHERE sha256(convert_to(E'account\\n' || u.email_key, 'UTF8')) = \(key)
                """)
            return (tries, places)
        }
        let trace = job.network.map { network in
            RequestTrace(id: job.requestID ?? "", address: String(network.prefix { $0 != "/" }))
        }
        for (workspace, name) in places {
            let scope = WorkspaceScope(workspace: workspace)
            try await RequestTrace.$current.withValue(trace) {
                try await services.workerDatabase.write(workspace) { transaction in
                    try await services.audit.record(
                        "refused tries to sign in as", subject: name, href: "/settings/members",
                        details: ["tries": .int(max(1, tries ?? 1))], by: scope, in: transaction)
                }
            }
        }
    }
}
