import Core
import Foundation
import Testing

/// The real program, a real PostgreSQL and a mail server on this machine, while things break. `docs/performance.md` says
/// how to run the large form.
@Suite("A campaign during which things break", .serialized)
struct SurvivalTests {
    @Test("nobody gets a message twice and nobody is lost when the portal is killed again and again")
    func kills() async throws {
        let outcome = try await survive(
            "--people", "2000", "--kills", "3", "--rate-per-second", "700", "--longest-pause", "900")
        #expect(outcome["good"] == .bool(true), "\(outcome)")
    }

    @Test("two portals on one database share a campaign, and one takes over from the other")
    func twoPortals() async throws {
        let outcome = try await survive(
            "--people", "2000", "--kills", "2", "--portals", "2", "--rate-per-second", "700", "--longest-pause", "900")
        #expect(outcome["good"] == .bool(true), "\(outcome)")
    }

    @Test("a campaign goes on when the database was stopped and started")
    func databaseStops() async throws {
        let outcome = try await survive(
            "--people", "2000", "--kills", "0", "--database-stops", "2", "--rate-per-second", "700",
            "--longest-pause", "900")
        #expect(outcome["good"] == .bool(true), "\(outcome)")
    }

    private struct NoProgram: Error, CustomStringConvertible {
        let path: String
        var description: String { "There is no program at \(path): build the package before its tests." }
    }

    /// Runs `portal bench survive`, which stands beside the tests; answers its report.
    private func survive(_ arguments: String...) async throws -> JSONValue {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "portal")
        guard FileManager.default.isExecutableFile(atPath: program.path) else { throw NoProgram(path: program.path) }
        let output = FileManager.default.temporaryDirectory.appending(path: "survival-\(UUID().uuidString).json")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        process.executableURL = program
        process.arguments = ["bench", "survive"] + arguments
        process.standardOutput = try FileHandle(forWritingTo: output)
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in done.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                done.resume(throwing: error)
            }
        }
        let text = try Data(contentsOf: output)
        try #require(!text.isEmpty, "The bench ended with status \(process.terminationStatus) and said nothing.")
        return try JSONDecoder().decode(JSONValue.self, from: text)
    }
}
