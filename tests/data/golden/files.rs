// Written by tests/browser_golden.rs.
&[
    ("model-d6728e668bfdfffe.safetensors", include_bytes!("model-d6728e668bfdfffe.safetensors")),
    ("items-87653478f109b32d.safetensors", include_bytes!("items-87653478f109b32d.safetensors")),
    ("items-3afef7fa25744eb3.safetensors", include_bytes!("items-3afef7fa25744eb3.safetensors")),
    ("items-60924f04f805cad3.safetensors", include_bytes!("items-60924f04f805cad3.safetensors")),
    ("ids-f12cdc6be26bfb71.json", include_bytes!("ids-f12cdc6be26bfb71.json")),
    ("manifest.json", include_bytes!("manifest.json")),
]
