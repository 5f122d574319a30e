import Core
import FoundationEssentials
import Glibc
import Mail
import Synchronization

/// The mail server of a bench as a process of its own: says where it listens in a file, and when it is asked to end, by
/// another file, what it was given.
package enum SinkProcess {
    /// Runs until it is asked to end or its parent is gone.
    package static func serve(directory: String) async throws {
        let arrival = ArrivalTime()
        var options = SMTPSink.Options()
        options.recording = .envelopes
        options.behavior = { _ in
            arrival.note()
            return nil
        }
        let sink = try SMTPSink(options: options)
        let parent = getppid()
        try write("\(sink.port)", to: "\(directory)/port")
        var progress: [(count: Int, at: UInt64)] = []
        var seen = 0
        while getppid() == parent, access("\(directory)/stop", F_OK) != 0 {
            try await Task.sleep(for: .milliseconds(2))
            let count = sink.messageCount
            guard count > seen else { continue }
            seen = count
            progress.append((count, MonotonicTime.now))
        }
        sink.stop()
        try write(sink.records.map(\.recipient).joined(separator: "\n"), to: "\(directory)/recipients")
        try write(
            String(decoding: try JSONEncoder().encode(summary(sink, progress, arrival)), as: UTF8.self),
            to: "\(directory)/summary")
    }

    private static func summary(
        _ sink: SMTPSink, _ progress: [(count: Int, at: UInt64)], _ arrival: ArrivalTime
    ) -> JSONValue {
        var counts: [String: Int] = [:]
        for record in sink.records { counts[record.recipient, default: 0] += 1 }
        func time(at share: Double) -> Int {
            let wanted = Int(Double(sink.messageCount) * share)
            return Int(progress.first { $0.count >= wanted }?.at ?? 0)
        }
        return .object([
            "messages": .int(sink.messageCount), "people": .int(counts.count),
            "mostToOne": .int(counts.values.max() ?? 0), "bytes": .int(sink.byteCount),
            "connections": .int(sink.connectionCount), "firstAt": .int(Int(arrival.first)),
            "halfAt": .int(time(at: 0.5)), "nearlyAllAt": .int(time(at: 0.99)), "lastAt": .int(time(at: 1)),
            "processorMilliseconds": .int(Int(ProcessTable.seconds(of: getpid()) * 1000)),
        ])
    }

    /// Written elsewhere and moved, so that whoever waits for it never reads half.
    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }
}

/// When the first recipient was named.
private final class ArrivalTime: Sendable {
    private let time = Atomic<UInt64>(0)

    var first: UInt64 { time.load(ordering: .relaxed) }

    func note() {
        if time.load(ordering: .relaxed) == 0 {
            _ = time.compareExchange(expected: 0, desired: MonotonicTime.now, ordering: .relaxed)
        }
    }
}
