import Core

/// Hashes and checks passwords on threads of its own: two at once (64 MiB), the others wait, and nothing else is held
/// up.
package final class PasswordHasher: Sendable {
    package enum Failure: Error, Sendable {
        /// Too many sign-ins wait; ask again in a moment (429 or 503).
        case busy
        case failed(CryptographyError)
    }

    /// What a check found.
    package struct Answer: Sendable, Equatable {
        package let matches: Bool
        /// A new string to store, made when the password was right and its stored cost is out of date.
        package let replacement: String?
    }

    private let threads: BlockingThreads<Void>
    private let cost: PasswordHash.Cost
    /// A hash nobody knows the password of, so that an unknown account costs the same time as a known one.
    private let decoy: PasswordHash

    /// - Parameters:
    ///   - concurrency: how many hashes are computed at once; each takes a core and 32 MiB.
    ///   - waitingLimit: how many may wait before ``Failure/busy``.
    package init(
        cost: PasswordHash.Cost = .standard, concurrency: Int = 2, waitingLimit: Int = 64
    ) {
        self.cost = cost
        decoy = .ofNobody(cost: cost)
        threads = BlockingThreads(name: "password", count: concurrency, waitingLimit: waitingLimit)
    }

    /// The string to store for a new password.
    package func hash(_ password: String) async throws(Failure) -> String {
        let cost: PasswordHash.Cost = cost
        return try await run { () throws(CryptographyError) in
            try PasswordHash(password: password, cost: cost).stored
        }
    }

    /// Checks a password against what is stored.
    /// - Parameter stored: nil, or an unreadable string, when there is no such account: the same work is done and the
    ///   answer is no.
    package func verify(_ password: String, against stored: String?) async throws(Failure) -> Answer {
        let found: PasswordHash? = stored.flatMap { PasswordHash(stored: $0) }
        let hash: PasswordHash = found ?? decoy
        let cost: PasswordHash.Cost = cost
        return try await run { () throws(CryptographyError) in
            let matches: Bool = try hash.matches(password) && found != nil
            guard matches, hash.needsRehash(for: cost) else { return Answer(matches: matches, replacement: nil) }
            return Answer(matches: true, replacement: try PasswordHash(password: password, cost: cost).stored)
        }
    }

    /// Ends the threads.
    package func stop() {
        threads.stop()
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(CryptographyError) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, CryptographyError>
        do {
            result = try await threads.run { _ in
                do throws(CryptographyError) { return .success(try work()) } catch { return .failure(error) }
            }
        } catch {
            throw .busy
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw .failed(error)
        }
    }
}
