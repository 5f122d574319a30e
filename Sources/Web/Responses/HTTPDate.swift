import Core
import FoundationEssentials
import Synchronization

/// Moments as HTTP headers say them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
package enum HTTPDate {
    package static func text(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .weekday, .hour, .minute, .second], from: date)
        let clock: String = [parts.hour, parts.minute, parts.second].map { two($0 ?? 0) }.joined(separator: ":")
        let day: String = "\(two(parts.day ?? 1)) \(months[(parts.month ?? 1) - 1]) \(parts.year ?? 1970)"
        return "\(weekdays[(parts.weekday ?? 1) - 1]), \(day) \(clock) GMT"
    }

    private static let weekdays: [String] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    private static let latest = Mutex<(second: Int, text: String)>((Int.min, ""))

    /// The present second. Written once per second, not once per answer.
    static func now(_ clock: WallClock) -> String {
        let now = clock.now
        let second = Int(now.timeIntervalSince1970.rounded(.down))
        return latest.withLock { latest in
            if latest.second != second { latest = (second, text(now)) }
            return latest.text
        }
    }
}
