/// Abbreviations and Windows names that are used instead of zone names.
enum ZoneAbbreviation {
    /// The probable places, the most likely first. Names in the time zone data (`EST`, `CET`) are not included.
    static let all: [String: [String]] = [
        "PST": ["America/Los_Angeles", "Asia/Manila"], "PDT": ["America/Los_Angeles"], "PT": ["America/Los_Angeles"],
        "MDT": ["America/Denver"], "MT": ["America/Denver"],
        "CST": ["America/Chicago", "Asia/Shanghai", "America/Havana"], "CDT": ["America/Chicago", "America/Havana"],
        "CT": ["America/Chicago"], "EDT": ["America/New_York"], "ET": ["America/New_York"],
        "AST": ["America/Halifax", "Asia/Riyadh"], "ADT": ["America/Halifax"], "NST": ["America/St_Johns"],
        "NDT": ["America/St_Johns"], "AKST": ["America/Anchorage"], "AKDT": ["America/Anchorage"],
        "HDT": ["America/Adak"], "BRT": ["America/Sao_Paulo"], "ART": ["America/Argentina/Buenos_Aires"],
        "CLT": ["America/Santiago"], "COT": ["America/Bogota"], "PET": ["America/Lima"],
        "BST": ["Europe/London", "Asia/Dhaka"], "IST": ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"],
        "WEST": ["Europe/Lisbon"], "CEST": ["Europe/Berlin"], "MEZ": ["Europe/Berlin"], "MESZ": ["Europe/Berlin"],
        "EEST": ["Europe/Helsinki"], "MSK": ["Europe/Moscow"], "TRT": ["Europe/Istanbul"],
        "SAST": ["Africa/Johannesburg"],
        "WAT": ["Africa/Lagos"], "CAT": ["Africa/Maputo"], "EAT": ["Africa/Nairobi"], "GST": ["Asia/Dubai"],
        "PKT": ["Asia/Karachi"], "ICT": ["Asia/Bangkok"], "WIB": ["Asia/Jakarta"], "HKT": ["Asia/Hong_Kong"],
        "SGT": ["Asia/Singapore"], "JST": ["Asia/Tokyo"], "KST": ["Asia/Seoul"], "AWST": ["Australia/Perth"],
        "ACST": ["Australia/Darwin", "Australia/Adelaide"], "ACDT": ["Australia/Adelaide"],
        "AEST": ["Australia/Sydney", "Australia/Brisbane"], "AEDT": ["Australia/Sydney"], "NZST": ["Pacific/Auckland"],
        "NZDT": ["Pacific/Auckland"],
    ]

    /// Upper case, as in the table of abbreviations.
    static let windows: [String: String] = [
        "PACIFIC STANDARD TIME": "America/Los_Angeles", "MOUNTAIN STANDARD TIME": "America/Denver",
        "CENTRAL STANDARD TIME": "America/Chicago", "EASTERN STANDARD TIME": "America/New_York",
        "GMT STANDARD TIME": "Europe/London", "W. EUROPE STANDARD TIME": "Europe/Berlin",
        "CENTRAL EUROPE STANDARD TIME": "Europe/Budapest", "CENTRAL EUROPEAN STANDARD TIME": "Europe/Warsaw",
        "ROMANCE STANDARD TIME": "Europe/Paris", "INDIA STANDARD TIME": "Asia/Kolkata",
        "CHINA STANDARD TIME": "Asia/Shanghai", "TOKYO STANDARD TIME": "Asia/Tokyo",
        "AUS EASTERN STANDARD TIME": "Australia/Sydney",
    ]
}
