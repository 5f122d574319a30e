import Synchronization
import Testing

@testable import Tracking

@Suite("Group commit")
struct GroupCommitTests {
    struct Refused: Error {}

    @discardableResult
    private func running<Value: Sendable>(
        _ events: GroupCommit<Int>, _ body: @Sendable @escaping () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await events.run()
                return nil
            }
            group.addTask { try await body() }
            while let value = try await group.next() {
                if let value {
                    group.cancelAll()
                    return value
                }
            }
            throw Refused()
        }
    }

    @Test("Everything submitted is written once, in fewer batches than items")
    func writesAll() async throws {
        let written = Mutex<[[Int]]>([])
        let events = GroupCommit<Int>(writers: 1) { batch in
            await Task.yield()
            written.withLock { $0.append(batch) }
        }
        try await running(events) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for item in 0..<1_000 { group.addTask { try await events.submit(item) } }
                try await group.waitForAll()
            }
        }
        let batches = written.withLock { $0 }
        #expect(batches.flatMap { $0 }.sorted() == Array(0..<1_000))
    }

    @Test("A batch that could not be stored is reported to each of its items")
    func reportsFailure() async throws {
        let events = GroupCommit<Int> { _ in throw Refused() }
        try await running(events) {
            await #expect(throws: Refused.self) { try await events.submit(1) }
        }
    }

    @Test("A full batch refuses instead of growing")
    func refusesWhenFull() async throws {
        let events = GroupCommit<Int>(capacity: 0) { _ in }
        await #expect(throws: GroupCommit<Int>.Overloaded.self) { try await events.submit(1) }
    }
}
