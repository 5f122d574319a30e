import Metrics
import Synchronization

/// Collects what swift-metrics is told and prints it in Prometheus' text format (version 0.0.4).
package final class PrometheusRegistry: MetricsFactory, Sendable {
    private struct Key: Hashable {
        let name: String
        let labels: String
    }

    private let counters = Mutex<[Key: Tally]>([:])
    private let gauges = Mutex<[Key: Level]>([:])
    private let summaries = Mutex<[Key: Summary]>([:])

    package init() {}

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let key = Self.key(label, dimensions)
        return counters.withLock { known in
            if let counter = known[key] { return counter }
            let counter = Tally()
            known[key] = counter
            return counter
        }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        let key = Self.key(label, dimensions)
        return gauges.withLock { known in
            if let gauge = known[key] { return gauge }
            let gauge = Level()
            known[key] = gauge
            return gauge
        }
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        summary(Self.key(label, dimensions))
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        summary(Self.key("\(label)_nanoseconds", dimensions))
    }

    package func destroyCounter(_: any CounterHandler) {}
    package func destroyMeter(_: any MeterHandler) {}
    package func destroyRecorder(_: any RecorderHandler) {}
    package func destroyTimer(_: any TimerHandler) {}

    private func summary(_ key: Key) -> Summary {
        summaries.withLock { known in
            if let summary = known[key] { return summary }
            let summary = Summary()
            known[key] = summary
            return summary
        }
    }

    /// All values as text.
    package func exposition() -> String {
        var lines: [String] = []
        let counters = counters.withLock { $0 }
        for (key, counter) in counters { lines.append("\(key.name)\(key.labels) \(counter.value)") }
        let gauges = gauges.withLock { $0 }
        for (key, gauge) in gauges { lines.append("\(key.name)\(key.labels) \(gauge.value)") }
        let summaries = summaries.withLock { $0 }
        for (key, summary) in summaries {
            let (count, sum) = summary.totals
            lines.append("\(key.name)_count\(key.labels) \(count)")
            lines.append("\(key.name)_sum\(key.labels) \(sum)")
        }
        return lines.sorted().joined(separator: "\n") + "\n"
    }

    private static func key(_ label: String, _ dimensions: [(String, String)]) -> Key {
        let name = String(label.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "_" })
        let labels = dimensions.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
        return Key(name: "portal_\(name)", labels: labels.isEmpty ? "" : "{\(labels)}")
    }

    private static func escaped(_ value: String) -> String {
        if !value.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == 0x0A }) {
            return value
        }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

private final class Tally: CounterHandler {
    private let total = Mutex<Int64>(0)

    var value: Int64 { total.withLock { $0 } }

    func increment(by amount: Int64) { total.withLock { $0 &+= amount } }

    func reset() { total.withLock { $0 = 0 } }
}

private final class Level: MeterHandler {
    private let level = Mutex<Double>(0)

    var value: Double { level.withLock { $0 } }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { level.withLock { $0 = value } }

    func increment(by amount: Double) { level.withLock { $0 += amount } }

    func decrement(by amount: Double) { level.withLock { $0 -= amount } }
}

private final class Summary: RecorderHandler, TimerHandler {
    private let values = Mutex<(count: Int64, sum: Double)>((0, 0))

    var totals: (count: Int64, sum: Double) { values.withLock { $0 } }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        values.withLock { values in
            values.count += 1
            values.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration)) }
}

extension PrometheusRegistry {
    /// The one that swift-metrics reports to in the running program.
    package static let shared = PrometheusRegistry()
}
