import Foundation

/// Days as a workspace's calendar has them.
enum WorkspaceDay {
    /// The day of a moment in a time zone: `2026-01-15`. An unknown zone is UTC.
    static func text(_ moment: Date, zone: String) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let parts = calendar.dateComponents([.year, .month, .day], from: moment)
        func two(_ number: Int?) -> String {
            let number: Int = number ?? 1
            return number < 10 ? "0\(number)" : String(number)
        }
        return "\(parts.year ?? 1970)-\(two(parts.month))-\(two(parts.day))"
    }
}
