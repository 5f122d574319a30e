import Core
import Jobs
import Segments

extension FactsKeeper {
    /// Has a workspace's people copied, however few they are.
    func copyEverybody(of workspace: WorkspaceID) async throws {
        try await begin(workspace)
        for _ in 0..<600 {
            do { return try await fill(workspace) } catch is JobRetry {
                // Other tests' transactions are under way.
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        try await fill(workspace)
    }
}
