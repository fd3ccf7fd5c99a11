// Written by tests/browser_golden.rs.
&[
    ("model-417f92341e6a42eb.safetensors", include_bytes!("model-417f92341e6a42eb.safetensors")),
    ("items-300eb55c75952960.safetensors", include_bytes!("items-300eb55c75952960.safetensors")),
    ("items-57220386d74e5ce1.safetensors", include_bytes!("items-57220386d74e5ce1.safetensors")),
    ("items-5f0ee9b263161607.safetensors", include_bytes!("items-5f0ee9b263161607.safetensors")),
    ("ids-f12cdc6be26bfb71.json", include_bytes!("ids-f12cdc6be26bfb71.json")),
    ("manifest.json", include_bytes!("manifest.json")),
]
