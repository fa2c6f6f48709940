"""Other heads: what offices write over the columns of their own sheets, and the field that is meant."""

from collections.abc import Mapping

_WORDS: dict[str, dict[str, str]] = {
    "activities": {
        "title": "活动 活动名称 活动项目 活动主题 项目 项目名称 课程 课程名称",
        "kind": "类型 分类 活动类型 活动类别 课程类型",
        "host": "讲师 教师 教练 主讲 主讲人 主讲老师 授课老师 任课老师 带课老师 老师姓名",
        "text": "简介 活动介绍 活动简介 活动内容 内容 课程介绍",
        "bring": "自备 自备物品 需要带什么 携带物品",
        "suits": "适合人群 适用人群 面向人群",
    },
    "plans": {
        "activity_id": "名称 活动名称 活动项目 项目 项目名称 课程 课程名称",
        "zone_id": "地点 场所 教室 房间 场地名称 活动场地 活动地点 上课地点",
        "weekdays": "周几 星期几 每周 周次 开课星期",
        "starts": "时间 开始时间 开课时间 上课时间 活动时间 起始时间",
        "minutes": "分钟 活动时长 课程时长 时长分钟",
        "capacity": "人数 名额数 人数上限 限额 限报人数 招募人数 席位 座位 容量",
        "valid_from": "开始日期 起始日期 生效日期 开课日期 起",
        "valid_until": "结束日期 截止日期 终止日期 结课日期 止",
    },
    "stations": {
        "code": "编号 编码 驿站代码 驿站编号 驿站编码 站点代码 站点编号",
        "name": "驿站 驿站名称 站点 站点名称 站名",
        "name_en": "英文名",
        "centre": "中心 所属中心 中心编号 中心编码 所属中心代码 所属中心编号",
        "address": "驿站地址 详细地址 站点地址 位置",
        "position": "经纬度 坐标点",
        "managers": "管理员 邮箱 驿站管理员 负责人邮箱 管理员电子邮箱",
        "zones": "场所 房间 活动场地",
    },
    "transfers": {
        "email": "电子邮箱 邮箱地址 管理员邮箱 人员邮箱",
        "leaves": "调出驿站 调出 原驿站 原驿站代码",
        "joins": "调入驿站 调入 新驿站 新驿站代码",
        "on_date": "日期 调动日期 生效日期",
    },
}
OTHER_HEADS: Mapping[str, Mapping[str, str]] = {
    kind: {word: name for name, words in fields.items() for word in words.split()} for kind, fields in _WORDS.items()
}
