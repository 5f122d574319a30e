import Core

/// Counts for people who are still typing: a newer question of the same person stops the older one, also in the
/// database.
actor PreviewDesk {
    private var running: [UserID: (number: Int, task: Task<PreviewBox, any Error>)] = [:]
    private var number = 0

    func run(for user: UserID, _ body: @escaping @Sendable () async throws -> PreviewBox) async throws -> PreviewBox {
        running[user]?.task.cancel()
        number += 1
        let own: Int = number
        let task = Task { try await body() }
        running[user] = (own, task)
        defer { if running[user]?.number == own { running[user] = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
